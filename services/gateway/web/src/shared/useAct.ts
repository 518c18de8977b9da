import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Answer } from "@/api/client";
import { type CommandHeaders, type Outcome, runCommand } from "@/api/command";
import type { Operation } from "@/api/types";
import { withFreshProof } from "@/shared/proof/stepUp";

interface Act<Body, Result> {
  /** What is done to what, for example `withdraw/<id>`; names the kept key. */
  name: string;
  send: (body: Body, headers: CommandHeaders) => Promise<Answer<Result | Operation>>;
  onDone?: (outcome: Outcome<Result>) => void;
}

/**
 * One act of a person: sent with its kept key, waited for, and followed by reading everything
 * again, so that no page shows what was true before it. An act that wants a fresh proof asks for
 * it and is sent again.
 */
export function useAct<Body, Result>({ name, send, onDone }: Act<Body, Result>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Body) =>
      withFreshProof(() => runCommand<Result>(name, body, (headers) => send(body, headers))),
    onSuccess: (outcome) => onDone?.(outcome),
    onSettled: () => {
      void client.invalidateQueries();
    },
  });
}
