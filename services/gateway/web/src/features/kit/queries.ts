import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { TokenScope } from "@/api/types";
import { useAccountAct } from "@/shared/proof/queries";

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
