import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { components } from "@/api/generated/schema";
import type { Campaign } from "@/api/types";
import { useAct } from "@/shared/useAct";
import type { CampaignBody } from "./draft";

type CampaignAnswer = components["schemas"]["CampaignView"];

/** A campaign with the name of the version that was read. */
export interface Version {
  campaign: Campaign;
  etag: string;
}

/** Read it now; throws a Refusal. */
export async function readVersion(campaignId: string): Promise<Version> {
  const asked = api.GET("/v1/campaigns/{campaign_id}", {
    params: { path: { campaign_id: campaignId } },
  });
  const campaign = (await read(asked)) as Campaign;
  return { campaign, etag: (await asked).response.headers.get("ETag") ?? "" };
}

/** What a form starts from: read anew for each form, and never exchanged below it. */
export function useVersion(campaignId: string) {
  return useQuery({
    queryKey: ["draft", campaignId],
    queryFn: () => readVersion(campaignId),
    gcTime: 0,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
}

export function useDraftCampaign() {
  return useAct<CampaignBody, CampaignAnswer>({
    name: "draft",
    send: (body, headers) => api.POST("/v1/campaigns", { params: { header: headers }, body }),
  });
}

/** Replace what a draft says, if it still is the version named. */
export function useReviseDraft(campaignId: string) {
  return useAct<{ body: CampaignBody; etag: string }, CampaignAnswer>({
    name: `revise/${campaignId}`,
    send: ({ body, etag }, headers) =>
      api.PUT("/v1/campaigns/{campaign_id}", {
        params: {
          path: { campaign_id: campaignId },
          header: { ...headers, "If-Match": etag },
        },
        body,
      }),
  });
}
