import { delay, HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { api } from "@/api/client";
import { type CommandHeaders, runCommand } from "@/api/command";
import { keptBody } from "@/api/keys";
import { ConnectionLost, RefusedByServer } from "@/api/problem";
import type { Commitment, Operation } from "@/api/types";
import { COMMITMENT_ID, commitment, problem } from "@/testing/fixtures";
import { refuse, server } from "@/testing/server";

const ADDRESS = "*/v1/commitments/:id/withdrawal";
const ACT = `withdraw/${COMMITMENT_ID}`;

const running: Operation = {
  id: "0f6a1d00-0000-4000-8000-0000000000ff",
  kind: "withdraw_commitment",
  state: "running",
  resource: { type: "commitment", id: COMMITMENT_ID, href: null },
  next_action: null,
  problem: null,
  received_at: "2026-11-24T18:12:00Z",
};

function withdraw() {
  return runCommand<Commitment>(ACT, {}, (headers: CommandHeaders) =>
    api.POST("/v1/commitments/{commitment_id}/withdrawal", {
      params: { path: { commitment_id: COMMITMENT_ID }, header: headers },
      body: {},
    }),
  );
}

/** Answers each request in turn and keeps the keys that came. */
function answerInTurn(...answers: (() => Response | Promise<Response>)[]): string[] {
  const keys: string[] = [];
  server.use(
    http.post(ADDRESS, ({ request }) => {
      keys.push(request.headers.get("Idempotency-Key") ?? "");
      const answer = answers[Math.min(keys.length, answers.length) - 1];
      return answer?.() ?? HttpResponse.error();
    }),
  );
  return keys;
}

describe("an act", () => {
  it("answers its resource and forgets its key", async () => {
    const keys = answerInTurn(() => HttpResponse.json(commitment));
    expect(await withdraw()).toEqual({ kind: "done", data: commitment });
    await withdraw();
    expect(new Set(keys).size).toBe(2);
  });

  it("sends the same key again when the connection was lost", async () => {
    const keys = answerInTurn(
      () => HttpResponse.error(),
      () => HttpResponse.json(commitment),
    );
    expect((await withdraw()).kind).toBe("done");
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it("sends the same key again after the pause that a busy server asks for", async () => {
    const busy = problem("clock_moving", 503);
    const keys = answerInTurn(
      () => refuse(busy, { "Retry-After": "1" }),
      () => HttpResponse.json(commitment),
    );
    expect((await withdraw()).kind).toBe("done");
    expect(new Set(keys).size).toBe(1);
  });

  it("keeps its key over a reload while no definite answer came", async () => {
    const keys = answerInTurn(
      () => HttpResponse.error(),
      () => HttpResponse.error(),
      () => HttpResponse.error(),
      () => HttpResponse.json(commitment),
    );
    await expect(withdraw()).rejects.toBeInstanceOf(ConnectionLost);
    expect(keptBody(ACT)).toEqual({});
    await withdraw();
    expect(new Set(keys).size).toBe(1);
    expect(keptBody(ACT)).toBeNull();
  }, 15_000);

  it("takes a new key after a definite refusal", async () => {
    const refusal = problem("withdrawal_closed", 409);
    const keys = answerInTurn(
      () => refuse(refusal),
      () => HttpResponse.json(commitment),
    );
    const error = await withdraw().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RefusedByServer);
    expect((error as RefusedByServer).problem).toEqual(refusal);
    await withdraw();
    expect(new Set(keys).size).toBe(2);
  });

  it("asks about a running operation and reads its outcome with the same key", async () => {
    const keys = answerInTurn(
      () => HttpResponse.json(running, { status: 202 }),
      () => HttpResponse.json(commitment),
    );
    server.use(
      http.get("*/v1/operations/:id", () => HttpResponse.json({ ...running, state: "done" })),
    );
    expect(await withdraw()).toEqual({ kind: "done", data: commitment });
    expect(new Set(keys).size).toBe(1);
  });

  it("tells the refusal that a running operation ends with", async () => {
    answerInTurn(() => HttpResponse.json(running, { status: 202 }));
    const refusal = problem("payment_expired", 409);
    server.use(
      http.get("*/v1/operations/:id", () =>
        HttpResponse.json({ ...running, state: "refused", problem: refusal }),
      ),
    );
    await expect(withdraw()).rejects.toMatchObject({ problem: { code: "payment_expired" } });
  });

  it("leads to the bank when the bank asks", async () => {
    const url = "http://127.0.0.1:4242/authenticate/pi_1/key";
    const asked: Operation = {
      ...running,
      state: "action_required",
      next_action: { type: "redirect", url },
    };
    answerInTurn(() => HttpResponse.json(asked, { status: 202 }));
    expect(await withdraw()).toEqual({ kind: "redirect", url, operation: asked });
  });

  it("says that it still runs when the outcome stays away, and keeps its key", async () => {
    answerInTurn(() => HttpResponse.json(running, { status: 202 }));
    server.use(
      http.get("*/v1/operations/:id", async () => {
        await delay(1);
        return HttpResponse.json(running);
      }),
    );
    expect((await withdraw()).kind).toBe("running");
    expect(keptBody(ACT)).toEqual({});
  });

  it("names an answer that is no problem document by a code of its own", async () => {
    answerInTurn(() => new HttpResponse("<h1>Not here</h1>", { status: 404 }));
    await expect(withdraw()).rejects.toMatchObject({ problem: { code: "unreadable_answer" } });
  });
});
