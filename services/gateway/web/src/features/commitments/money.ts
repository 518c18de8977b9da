import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";

const AGAIN_MILLISECONDS = 10_000;

/** The movements of an own commitment, the oldest first. */
export function useMoney(commitmentId: string) {
  return useQuery({
    queryKey: ["commitment", commitmentId, "money"],
    queryFn: () =>
      read(
        api.GET("/v1/me/commitments/{commitment_id}/money", {
          params: { path: { commitment_id: commitmentId } },
        }),
      ),
    refetchInterval: AGAIN_MILLISECONDS,
  });
}
