import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import { withFreshProof } from "@/shared/proof/stepUp";

const ERASURE = ["erasure"];

/** Where the erasure of the signed-in person stands, and what it waits for or would wait for. */
export function useErasure() {
  return useQuery({ queryKey: ERASURE, queryFn: () => read(api.GET("/v1/me/erasure")) });
}

export function useRequestErasure() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => withFreshProof(() => read(api.POST("/v1/me/erasure"))),
    onSuccess: (erasure) => client.setQueryData(ERASURE, erasure),
  });
}

export function useWithdrawErasure() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => read(api.DELETE("/v1/me/erasure")),
    onSettled: () => client.invalidateQueries({ queryKey: ERASURE }),
  });
}
