import { type Answer, api, read } from "@/api/client";
import { forgetAct, rememberAct } from "@/api/keys";
import { isRefusal, mayBeSentAgain, RefusedByServer } from "@/api/problem";
import type { Operation, Problem } from "@/api/types";

/** How long one request may wait for its outcome, in seconds. */
export const WAIT_SECONDS = 10;
/** How often a running act is asked about before the page says that it still runs. */
const ASK_AGAIN_MAX = 6;
/** How often an act is sent again by itself when nothing definite came back. */
const SEND_AGAIN_MAX = 2;
const PAUSE_SECONDS_DEFAULT = 1;
const PAUSE_SECONDS_MAX = 5;

export interface CommandHeaders {
  "Idempotency-Key": string;
  Prefer: string;
}

/** What became of an act: its resource, a page of the bank to visit, or still under way. */
export type Outcome<T> =
  | { kind: "done"; data: T }
  | { kind: "redirect"; url: string; operation: Operation }
  | { kind: "running"; operation: Operation };

/**
 * Send one act until something definite is known.
 *
 * `act` names what is done to what, `body` is all that is sent. The same act with the same body
 * keeps its key in this tab's session until a definite answer, so that a refresh, a second press
 * or a lost answer never does it twice. Throws a Refusal.
 */
export async function runCommand<T>(
  act: string,
  body: unknown,
  send: (headers: CommandHeaders) => Promise<Answer<T | Operation>>,
): Promise<Outcome<T>> {
  const key = rememberAct(act, body);
  const headers = { "Idempotency-Key": key, Prefer: `wait=${WAIT_SECONDS}` };
  try {
    const answer = await sendUntilAnswered(() => send(headers));
    const outcome = await settle(answer, () => send(headers));
    if (outcome.kind !== "running") forgetAct(act);
    return outcome;
  } catch (error) {
    if (isRefusal(error) && !mayBeSentAgain(error)) forgetAct(act);
    throw error;
  }
}

async function sendUntilAnswered<T>(
  send: () => Promise<Answer<T | Operation>>,
): Promise<T | Operation> {
  for (let sent = 0; ; sent += 1) {
    try {
      return await read(send());
    } catch (error) {
      if (sent >= SEND_AGAIN_MAX || !mayBeSentAgain(error)) throw error;
      await pause(error instanceof RefusedByServer ? error.retryAfterSeconds : null);
    }
  }
}

async function settle<T>(
  first: T | Operation,
  sendAgain: () => Promise<Answer<T | Operation>>,
): Promise<Outcome<T>> {
  let answer = first;
  for (let asked = 0; isOperation(answer); asked += 1) {
    if (answer.problem) throw new RefusedByServer(answer.problem as Problem);
    if (answer.next_action)
      return { kind: "redirect", url: answer.next_action.url, operation: answer };
    if (asked >= ASK_AGAIN_MAX) return { kind: "running", operation: answer };
    const operation = await askAbout(answer.id);
    // A repeat with the same key answers the outcome itself.
    answer = operation.state === "done" ? await read(sendAgain()) : operation;
  }
  return { kind: "done", data: answer };
}

function askAbout(operationId: string): Promise<Operation> {
  return read(
    api.GET("/v1/operations/{operation_id}", {
      params: { path: { operation_id: operationId } },
      headers: { Prefer: `wait=${WAIT_SECONDS}` },
    }),
  );
}

function isOperation(answer: unknown): answer is Operation {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "kind" in answer &&
    "received_at" in answer &&
    "problem" in answer
  );
}

function pause(seconds: number | null): Promise<void> {
  const wait = Math.min(seconds ?? PAUSE_SECONDS_DEFAULT, PAUSE_SECONDS_MAX);
  return new Promise((resolve) => setTimeout(resolve, wait * 1000));
}
