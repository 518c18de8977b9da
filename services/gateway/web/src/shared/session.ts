import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read, rememberCsrfToken } from "@/api/client";
import { forgetActs, forgetAllWords } from "@/api/keys";
import { hasCode } from "@/api/problem";
import type { Account, ClientConfig, Role } from "@/api/types";

const ME = ["me"];
const CONFIG = ["client-config"];
const CONFIG_FRESH_MILLISECONDS = 30_000;

/** Drop what was read and kept for somebody; only what everybody may see stays. */
function forgetWhatWasRead(client: QueryClient): void {
  forgetActs();
  client.removeQueries({
    predicate: ({ queryKey }) => queryKey[0] !== CONFIG[0] && queryKey[0] !== ME[0],
  });
}

/** A session has ended, here or elsewhere: nothing of it stays in the page. */
export function forgetSession(client: QueryClient): void {
  rememberCsrfToken(null);
  forgetWhatWasRead(client);
  client.setQueryData(ME, null);
}

/** Who is signed in; null when nobody is. Throws what the server refused for other reasons. */
async function readMe(): Promise<Account | null> {
  try {
    const me = await read(api.GET("/v1/me"));
    rememberCsrfToken(me.csrf_token);
    return me.account;
  } catch (error) {
    if (!hasCode(error, "not_signed_in")) throw error;
    rememberCsrfToken(null);
    return null;
  }
}

export function useSession() {
  return useQuery({ queryKey: ME, queryFn: readMe, staleTime: Number.POSITIVE_INFINITY });
}

export function useConfig() {
  return useQuery<ClientConfig>({
    queryKey: CONFIG,
    queryFn: () => read(api.GET("/v1/client-config")),
    staleTime: CONFIG_FRESH_MILLISECONDS,
    refetchInterval: CONFIG_FRESH_MILLISECONDS,
  });
}

/** Make a new session this tab's: nothing that was read for somebody else stays. */
export function useTakeSession() {
  const client = useQueryClient();
  return (session: { csrf_token: string; account: Account }) => {
    rememberCsrfToken(session.csrf_token);
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== CONFIG[0] });
    client.setQueryData(ME, session.account);
  };
}

/** The local stack's sign-in without proof. */
export function useSignIn() {
  const take = useTakeSession();
  return useMutation({
    mutationFn: (email: string) => read(api.POST("/v1/dev/sign-in", { body: { email } })),
    onSuccess: take,
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => read(api.DELETE("/v1/session")),
    onMutate: forgetAllWords,
    onSuccess: () => forgetSession(client),
    // Without an answer the session may live on; what was read for it goes from the page all the same.
    onError: () => forgetWhatWasRead(client),
  });
}

const NOT_STAFF: ReadonlySet<Role> = new Set(["participant", "supplier"]);

export function isStaff(account: Account | null | undefined): boolean {
  return account !== null && account !== undefined && !NOT_STAFF.has(account.role);
}
