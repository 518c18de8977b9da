import { useMutation, useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import type { components } from "@/api/generated/schema";
import { kept, useAccountAct } from "@/shared/proof/queries";
import { proveByPasskey } from "@/shared/proof/webauthn";
import { useTakeSession } from "@/shared/session";
import { useParts } from "@/shared/useParts";

type KindBody = components["schemas"]["AccountKindBody"];
type InvitationBody = Partial<components["schemas"]["MemberInvitationBody"]>;

const INVITATIONS_PER_PART = 50;
const CHOICES_MAX = 200;
const VALID_DAYS = 14;

/** Have a code sent; with an invitation's token for signing up. */
export function useAskCode(token?: string) {
  return useMutation({
    mutationFn: ({ email, kind }: { email: string; kind: KindBody }) =>
      read(
        token === undefined
          ? api.POST("/v1/sign-in/code", { body: { email } })
          : api.POST("/v1/sign-up/code", { body: { email, token, ...kind } }),
      ),
  });
}

export function useAccountKind() {
  return useQuery({
    queryKey: ["account", "kind"],
    queryFn: () => read(api.GET("/v1/account/kind")),
  });
}

export function useChooseKind() {
  return useAccountAct((body: KindBody) => read(api.PUT("/v1/account/kind", { body })));
}

export function useGiveCode() {
  const take = useTakeSession();
  return useMutation({
    mutationFn: (body: { challenge: string; code: string }) =>
      read(api.POST("/v1/sign-in/code/answer", { body })),
    onSuccess: take,
  });
}

export function usePasskeySignIn() {
  const take = useTakeSession();
  return useMutation({
    mutationFn: async () => {
      const { challenge_id, options } = await read(api.POST("/v1/sign-in/passkey/options"));
      const credential = await proveByPasskey(options);
      return read(api.POST("/v1/sign-in/passkey", { body: { challenge_id, credential } }));
    },
    onSuccess: take,
  });
}

export function useInvitationPreview(token: string) {
  return useQuery({
    queryKey: ["member-invitation", token],
    queryFn: () => read(api.POST("/v1/member-invitations/preview", { body: { token } })),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useSessions() {
  return useQuery({
    queryKey: ["account", "sessions"],
    queryFn: async () => (await read(api.GET("/v1/sessions"))).data,
  });
}

export function useInvitations() {
  return useParts({
    queryKey: ["account", "member-invitations"],
    limit: INVITATIONS_PER_PART,
    ask: (query) => read(api.GET("/v1/member-invitations", { params: { query } })),
  });
}

/** The campaigns that an invitation may open: those that accept joins. */
export function useOpenCampaigns() {
  return useQuery({
    queryKey: ["campaigns", "joining"],
    queryFn: async () =>
      (
        await read(api.GET("/v1/campaigns", { params: { query: { limit: CHOICES_MAX } } }))
      ).data.filter((campaign) => campaign.joining),
  });
}

export function useRemovePasskey() {
  return useAccountAct((passkey_id: string) =>
    read(api.DELETE("/v1/account/passkeys/{passkey_id}", { params: { path: { passkey_id } } })),
  );
}

export function useBeginAuthenticator() {
  return useAccountAct(() => read(api.POST("/v1/account/authenticator")));
}

export function useConfirmAuthenticator() {
  return useAccountAct((code: string) =>
    kept(read(api.POST("/v1/account/authenticator/confirmation", { body: { code } }))),
  );
}

export function useRemoveAuthenticator() {
  return useAccountAct(() => read(api.DELETE("/v1/account/authenticator")));
}

export function useNewRecoveryCodes() {
  return useAccountAct(() => read(api.POST("/v1/account/recovery-codes")));
}

export function useEndSession() {
  return useAccountAct((session_id: string) =>
    read(api.DELETE("/v1/sessions/{session_id}", { params: { path: { session_id } } })),
  );
}

export function useEndOthers() {
  return useAccountAct(() => read(api.DELETE("/v1/sessions")));
}

export function useInvite() {
  return useAccountAct((body: InvitationBody) =>
    read(
      api.POST("/v1/member-invitations", {
        body: { role: "participant", valid_days: VALID_DAYS, ...body },
      }),
    ),
  );
}

export function useRevokeInvitation() {
  return useAccountAct((member_invitation_id: string) =>
    read(
      api.POST("/v1/member-invitations/{member_invitation_id}/revocation", {
        params: { path: { member_invitation_id } },
      }),
    ),
  );
}

export function useRedeem() {
  return useAccountAct((token: string) =>
    read(api.POST("/v1/member-invitations/redemption", { body: { token } })),
  );
}
