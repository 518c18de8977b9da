import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { components } from "@/api/generated/schema";
import type { Case, Issue, Plan, PlanBody, ReviewBody } from "@/api/types";
import { useAct } from "@/shared/useAct";
import { useParts } from "@/shared/useParts";

type CampaignAnswer = components["schemas"]["CampaignView"];
type SignOffRole = components["schemas"]["SignOffBody"]["role"];

const COMMITMENTS_PER_PART = 50;
const DRAFTS_PER_PART = 20;
const RECHECK_MILLISECONDS = 15_000;

export function useOverview() {
  return useQuery({
    queryKey: ["staff-overview"],
    queryFn: () => read(api.GET("/v1/staff/overview")),
    refetchInterval: RECHECK_MILLISECONDS,
  });
}

export function useDrafts() {
  return useParts({
    queryKey: ["campaigns", "drafts"],
    limit: DRAFTS_PER_PART,
    ask: (query) =>
      read(api.GET("/v1/campaigns", { params: { query: { state: "DRAFT", ...query } } })),
  });
}

export function usePlans(campaignId: string) {
  return useQuery({
    queryKey: ["plans", campaignId],
    queryFn: async () =>
      (
        await read(
          api.GET("/v1/campaigns/{campaign_id}/clearing-plans", {
            params: { path: { campaign_id: campaignId } },
          }),
        )
      ).data,
    refetchInterval: RECHECK_MILLISECONDS,
  });
}

export function useLines(campaignId: string) {
  return useParts({
    queryKey: ["campaign-commitments", campaignId],
    limit: COMMITMENTS_PER_PART,
    ask: (query) =>
      read(
        api.GET("/v1/campaigns/{campaign_id}/commitments", {
          params: { path: { campaign_id: campaignId }, query },
        }),
      ),
  });
}

export function useUnsettledRefunds() {
  return useParts({
    queryKey: ["refunds-unsettled"],
    limit: COMMITMENTS_PER_PART,
    ask: (query) => read(api.GET("/v1/refunds/unsettled", { params: { query } })),
    refetchInterval: RECHECK_MILLISECONDS,
  });
}

export function useSettlingCampaigns() {
  return useParts({
    queryKey: ["refunds-campaigns"],
    limit: COMMITMENTS_PER_PART,
    ask: (query) => read(api.GET("/v1/refunds/campaigns", { params: { query } })),
    refetchInterval: RECHECK_MILLISECONDS,
  });
}

export function usePlanLines(planId: string) {
  return useParts({
    queryKey: ["plan-lines", planId],
    limit: COMMITMENTS_PER_PART,
    ask: (query) =>
      read(
        api.GET("/v1/clearing-plans/{plan_id}/lines", {
          params: { path: { plan_id: planId }, query },
        }),
      ),
  });
}

export function useSubmitCampaign(campaignId: string) {
  return useAct<Record<string, never>, CampaignAnswer>({
    name: `submit/${campaignId}`,
    send: (body, headers) =>
      api.POST("/v1/campaigns/{campaign_id}/submission", {
        params: { path: { campaign_id: campaignId }, header: headers },
        body,
      }),
  });
}

export function useReview(campaignId: string) {
  return useAct<ReviewBody, CampaignAnswer>({
    name: `review/${campaignId}`,
    send: (body, headers) =>
      api.POST("/v1/campaigns/{campaign_id}/review", {
        params: { path: { campaign_id: campaignId }, header: headers },
        body,
      }),
  });
}

export function useSignOff(campaignId: string) {
  return useAct<{ role: SignOffRole; reason: string }, CampaignAnswer>({
    name: `sign-off/${campaignId}`,
    send: (body, headers) =>
      api.POST("/v1/campaigns/{campaign_id}/failure-sign-offs", {
        params: { path: { campaign_id: campaignId }, header: headers },
        body,
      }),
  });
}

export function useMakePlan(campaignId: string) {
  return useAct<PlanBody, Plan>({
    name: `make-plan/${campaignId}`,
    send: (body, headers) =>
      api.POST("/v1/campaigns/{campaign_id}/clearing-plans", {
        params: { path: { campaign_id: campaignId }, header: headers },
        body,
      }),
  });
}

export function useApprove(planId: string) {
  return useAct<{ plan_hash: string }, Plan>({
    name: `approve/${planId}`,
    send: (body, headers) =>
      api.POST("/v1/clearing-plans/{plan_id}/approval", {
        params: { path: { plan_id: planId }, header: headers },
        body,
      }),
  });
}

export function useTakeBack(planId: string) {
  return useAct<Record<string, never>, Plan>({
    name: `take-back/${planId}`,
    send: (body, headers) =>
      api.POST("/v1/clearing-plans/{plan_id}/withdrawal", {
        params: { path: { plan_id: planId }, header: headers },
        body,
      }),
  });
}

export function useRetryTransfer(planId: string) {
  return useAct<Record<string, never>, Plan>({
    name: `retry-transfer/${planId}`,
    send: (body, headers) =>
      api.POST("/v1/clearing-plans/{plan_id}/transfer-retry", {
        params: { path: { plan_id: planId }, header: headers },
        body,
      }),
  });
}

export function useResolveCase(caseId: string) {
  return useAct<{ resolution: string; evidence: string[] }, Case>({
    name: `resolve-case/${caseId}`,
    send: (body, headers) =>
      api.POST("/v1/cases/{case_id}/resolution", {
        params: { path: { case_id: caseId }, header: headers },
        body,
      }),
  });
}

export function useDecideIssue(issueId: string) {
  return useAct<{ verdict: "upheld" | "rejected"; reason: string }, Issue>({
    name: `decide-issue/${issueId}`,
    send: (body, headers) =>
      api.POST("/v1/issues/{issue_id}/decision", {
        params: { path: { issue_id: issueId }, header: headers },
        body,
      }),
  });
}
