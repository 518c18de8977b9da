import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read, rememberCsrfToken } from "@/api/client";
import type { Security } from "@/api/types";
import { withFreshProof } from "@/shared/proof/stepUp";
import { makePasskey, proveByPasskey } from "@/shared/proof/webauthn";

/** How the signed-in person can prove who they are; read again after every act on the account. */
export function useSecurity(enabled = true) {
  return useQuery<Security>({
    queryKey: ["account", "security"],
    queryFn: () => read(api.GET("/v1/account/security")),
    enabled,
  });
}

/** An act on one's own account. It asks for a fresh proof where it needs one. */
export function useAccountAct<Input, Result>(act: (input: Input) => Promise<Result>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: Input) => withFreshProof(() => act(input)),
    onSettled: () => client.invalidateQueries({ queryKey: ["account"] }),
  });
}

/** The session has a new token after each proof; the token that writes need comes with it. */
export async function kept<T extends { csrf_token: string }>(answer: Promise<T>): Promise<T> {
  const session = await answer;
  rememberCsrfToken(session.csrf_token);
  return session;
}

export function useAddPasskey() {
  return useAccountAct(async (name: string) => {
    const { challenge_id, options } = await read(api.POST("/v1/account/passkeys/options"));
    const credential = await makePasskey(options);
    const body = { challenge_id, credential, name };
    return kept(read(api.POST("/v1/account/passkeys", { body })));
  });
}

export type CodeKind = "authenticator" | "recovery-code";

/** Prove it once more. Nothing is asked for again here: a refusal stays one. */
function useProof<Input, Result>(prove: (input: Input) => Promise<Result>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: prove,
    onSuccess: () => client.invalidateQueries({ queryKey: ["account"] }),
  });
}

export function useConfirmByPasskey() {
  return useProof(async () => {
    const { challenge_id, options } = await read(api.POST("/v1/step-up/passkey/options"));
    const credential = await proveByPasskey(options);
    return kept(read(api.POST("/v1/step-up/passkey", { body: { challenge_id, credential } })));
  });
}

export function useConfirmByCode(kind: CodeKind) {
  return useProof((code: string) =>
    kept(read(api.POST(`/v1/step-up/${kind}`, { body: { code } }))),
  );
}
