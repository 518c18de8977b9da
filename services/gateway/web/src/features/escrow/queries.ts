import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import { useParts } from "@/shared/useParts";

const AGAIN_MILLISECONDS = 15_000;
const TRANSFERS_PER_PART = 50;

/** The escrow of a campaign, or of the whole platform without one. */
export function useEscrow(campaignId: string | null) {
  return useQuery({
    queryKey: ["escrow", campaignId],
    queryFn: () =>
      campaignId === null
        ? read(api.GET("/v1/transparency"))
        : read(
            api.GET("/v1/campaigns/{campaign_id}/escrow", {
              params: { path: { campaign_id: campaignId } },
            }),
          ),
    refetchInterval: AGAIN_MILLISECONDS,
  });
}

/** Every transfer of it, the newest first, part by part. */
export function useTransfers(campaignId: string | null) {
  return useParts({
    queryKey: ["escrow", campaignId, "transfers"],
    limit: TRANSFERS_PER_PART,
    ask: (query) =>
      campaignId === null
        ? read(api.GET("/v1/transparency/transfers", { params: { query } }))
        : read(
            api.GET("/v1/campaigns/{campaign_id}/escrow/transfers", {
              params: { path: { campaign_id: campaignId }, query },
            }),
          ),
  });
}
