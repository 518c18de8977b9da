import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { Campaign } from "@/api/types";

export function campaignKey(campaignId: string) {
  return ["campaign", campaignId] as const;
}

/** A campaign's page; several features read it, so that it is read once. */
export function useCampaign(campaignId: string, options: { pollMilliseconds?: number } = {}) {
  return useQuery({
    queryKey: campaignKey(campaignId),
    queryFn: async () =>
      (await read(
        api.GET("/v1/campaigns/{campaign_id}", { params: { path: { campaign_id: campaignId } } }),
      )) as Campaign,
    refetchInterval: options.pollMilliseconds ?? false,
  });
}
