import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { Commitment, Issue } from "@/api/types";
import { useAct } from "@/shared/useAct";
import { useParts } from "@/shared/useParts";

const COMMITMENTS_PER_PART = 25;
/** While money moves the page reads again this often, in milliseconds; else seldom. */
const MOVING_MILLISECONDS = 2_000;
const RESTING_MILLISECONDS = 20_000;

export function useCommitments() {
  return useParts({
    queryKey: ["commitments", "mine"],
    limit: COMMITMENTS_PER_PART,
    ask: (query) => read(api.GET("/v1/commitments", { params: { query } })),
  });
}

export function useCommitment(commitmentId: string) {
  return useQuery({
    queryKey: ["commitment", commitmentId],
    queryFn: () =>
      read(
        api.GET("/v1/commitments/{commitment_id}", {
          params: { path: { commitment_id: commitmentId } },
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data === undefined || isMoving(state.data) ? MOVING_MILLISECONDS : RESTING_MILLISECONDS,
  });
}

/** The address that a commitment was made with; it never changes. */
export function useDeliveryAddress(commitmentId: string) {
  return useQuery({
    queryKey: ["commitment", commitmentId, "delivery-address"],
    queryFn: () =>
      read(
        api.GET("/v1/commitments/{commitment_id}/delivery-address", {
          params: { path: { commitment_id: commitmentId } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

function isMoving(commitment: Commitment): boolean {
  const refund = commitment.refund?.state;
  return commitment.state === "PENDING_FUNDS" || refund === "decided" || refund === "pending";
}

export function useWithdraw(commitmentId: string) {
  return useAct<Record<string, never>, Commitment>({
    name: `withdraw/${commitmentId}`,
    send: (body, headers) =>
      api.POST("/v1/commitments/{commitment_id}/withdrawal", {
        params: { path: { commitment_id: commitmentId }, header: headers },
        body,
      }),
  });
}

export function usePayAgain(commitmentId: string) {
  return useAct<{ confirmation_token: string }, Commitment>({
    name: `pay/${commitmentId}`,
    send: (body, headers) =>
      api.POST("/v1/commitments/{commitment_id}/payment", {
        params: { path: { commitment_id: commitmentId }, header: headers },
        body,
      }),
  });
}

export function useReportIssue(commitmentId: string) {
  return useAct<{ description: string; photo_digests: string[] }, Issue>({
    name: `report-issue/${commitmentId}`,
    send: (body, headers) =>
      api.POST("/v1/commitments/{commitment_id}/issues", {
        params: { path: { commitment_id: commitmentId }, header: headers },
        body,
      }),
  });
}
