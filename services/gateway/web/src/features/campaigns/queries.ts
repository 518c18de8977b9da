import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { CampaignState } from "@/api/types";

const CAMPAIGNS_PER_PART = 24;
const MINE_MAX = 20;

export function useCampaigns(state: string | undefined) {
  return useInfiniteQuery({
    queryKey: ["campaigns", state ?? "all"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/v1/campaigns", {
          params: {
            query: {
              limit: CAMPAIGNS_PER_PART,
              ...(state === undefined ? {} : { state: state as CampaignState }),
              ...(pageParam === null ? {} : { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (part) => part.next_cursor,
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
