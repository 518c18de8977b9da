import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { CampaignState } from "@/api/types";
import { useParts } from "@/shared/useParts";

const CAMPAIGNS_PER_PART = 24;
const MINE_MAX = 20;

export function useCampaigns(state: string | undefined) {
  return useParts({
    queryKey: ["campaigns", state ?? "all"],
    limit: CAMPAIGNS_PER_PART,
    ask: (query) =>
      read(
        api.GET("/v1/campaigns", {
          params: {
            query: { ...(state === undefined ? {} : { state: state as CampaignState }), ...query },
          },
        }),
      ),
  });
}

/** The signed-in participant's commitments in one campaign. */
export function useMineIn(campaignId: string, enabled: boolean) {
  return useQuery({
    queryKey: ["commitments", "in", campaignId],
    queryFn: () =>
      read(
        api.GET("/v1/commitments", {
          params: { query: { campaign_id: campaignId, limit: MINE_MAX } },
        }),
      ),
    enabled,
  });
}
