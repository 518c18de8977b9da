import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { AlertRule, TokenScope } from "@/api/types";
import { useAccountAct } from "@/shared/proof/queries";
import { useAct } from "@/shared/useAct";

const CAMPAIGNS_MAX = 200;
const WITHOUT_NEWS = new Set(["DRAFT", "IN_REVIEW", "COMPLETED", "CLOSED"]);

/** The alert rules of the signed-in person, the waiting ones first. */
export function useAlerts() {
  return useQuery({
    queryKey: ["account", "alerts"],
    queryFn: async () => (await read(api.GET("/v1/me/alerts"))).data,
  });
}

/** The newest campaigns that a rule can be about. */
export function useAlertCampaigns() {
  return useQuery({
    queryKey: ["campaigns", "for-alerts"],
    queryFn: async () => {
      const query = { limit: CAMPAIGNS_MAX };
      const { data } = await read(api.GET("/v1/campaigns", { params: { query } }));
      return data.filter(({ state }) => !WITHOUT_NEWS.has(state));
    },
  });
}

export function useSetAlert() {
  return useAct<{ rule: AlertRule["rule"] }, AlertRule>({
    name: "set-alert",
    send: (body, headers) => api.POST("/v1/me/alerts", { params: { header: headers }, body }),
  });
}

export function useRemoveAlert(ruleId: string) {
  return useAct<Record<string, never>, AlertRule>({
    name: `remove-alert/${ruleId}`,
    send: (body, headers) =>
      api.POST("/v1/me/alerts/{rule_id}/removal", {
        params: { path: { rule_id: ruleId }, header: headers },
        body,
      }),
  });
}

/** The live access tokens of the signed-in person, and which scopes a new one may have; the secrets are not kept. */
export function useAccessTokens() {
  return useQuery({
    queryKey: ["account", "access-tokens"],
    queryFn: () => read(api.GET("/v1/access-tokens")),
  });
}

export function useMakeToken() {
  return useAccountAct((scopes: TokenScope[]) =>
    read(api.POST("/v1/access-tokens", { body: { scopes } })),
  );
}

export function useEndToken() {
  return useAccountAct((token_id: string) =>
    read(api.DELETE("/v1/access-tokens/{token_id}", { params: { path: { token_id } } })),
  );
}

/** Whether there is a calendar, and since when; its address is in the answer that makes it alone. */
export function useCalendar() {
  return useQuery({
    queryKey: ["account", "calendar"],
    queryFn: () => read(api.GET("/v1/me/calendar")),
  });
}

export function useRenewCalendar() {
  return useAccountAct(() => read(api.POST("/v1/me/calendar")));
}

export function useEndCalendar() {
  return useAccountAct(() => read(api.DELETE("/v1/me/calendar")));
}
