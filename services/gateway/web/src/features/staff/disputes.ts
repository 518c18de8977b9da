import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { Dispute } from "@/api/types";
import { useAct } from "@/shared/useAct";

const RECHECK_MILLISECONDS = 15_000;

export function useOpenDisputes() {
  return useQuery({
    queryKey: ["disputes", "open"],
    queryFn: async () =>
      (await read(api.GET("/v1/disputes", { params: { query: { state: "open" } } }))).data,
    refetchInterval: RECHECK_MILLISECONDS,
  });
}

export function useDispute(disputeId: string) {
  return useQuery({
    queryKey: ["dispute", disputeId],
    queryFn: () =>
      read(api.GET("/v1/disputes/{dispute_id}", { params: { path: { dispute_id: disputeId } } })),
  });
}

export function usePrepareEvidence(disputeId: string) {
  return useAct<Record<string, never>, Dispute>({
    name: `prepare-evidence/${disputeId}`,
    send: (body, headers) =>
      api.POST("/v1/disputes/{dispute_id}/evidence", {
        params: { path: { dispute_id: disputeId }, header: headers },
        body,
      }),
  });
}

export function useSubmitEvidence(disputeId: string) {
  return useAct<{ evidence_hash: string }, Dispute>({
    name: `submit-evidence/${disputeId}`,
    send: (body, headers) =>
      api.POST("/v1/disputes/{dispute_id}/evidence-submission", {
        params: { path: { dispute_id: disputeId }, header: headers },
        body,
      }),
  });
}
