import { api } from "@/api/client";
import { keptBody } from "@/api/keys";
import type { Commitment } from "@/api/types";
import { useAct } from "@/shared/useAct";

export interface CommitBody {
  quantity: number;
  terms_hash: string;
  confirmation_token: string;
  address_id?: string;
}

const actName = (campaignId: string) => `commit/${campaignId}`;

/** Joining a campaign: the commitment once its funds are held, or what has to happen before. */
export function useCommit(campaignId: string) {
  return useAct<CommitBody, Commitment>({
    name: actName(campaignId),
    send: (body, headers) =>
      api.POST("/v1/campaigns/{campaign_id}/commitments", {
        params: { path: { campaign_id: campaignId }, header: headers },
        body,
      }),
  });
}

/** The commitment that this tab sent without learning its outcome, or null. */
export function unansweredCommit(campaignId: string): CommitBody | null {
  return keptBody(actName(campaignId)) as CommitBody | null;
}
