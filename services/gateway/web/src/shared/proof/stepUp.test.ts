import { expect, test, vi } from "vitest";
import { RefusedByServer } from "@/api/problem";
import { answerStepUps, withFreshProof } from "@/shared/proof/stepUp";
import { problem } from "@/testing/fixtures";

const stale = () => new RefusedByServer(problem("step_up_required", 403));

test("an act that wants a fresh proof is done again once the person confirmed", async () => {
  const act = vi.fn().mockRejectedValueOnce(stale()).mockResolvedValueOnce("done");
  const ask = vi.fn().mockResolvedValue(true);
  const stop = answerStepUps(ask);
  expect(await withFreshProof(act)).toBe("done");
  expect([act.mock.calls.length, ask.mock.calls.length]).toEqual([2, 1]);
  stop();
});

test("whoever does not confirm gets the refusal, and nothing is sent again", async () => {
  const act = vi.fn().mockRejectedValue(stale());
  const stop = answerStepUps(async () => false);
  await expect(withFreshProof(act)).rejects.toThrow("step_up_required");
  expect(act).toHaveBeenCalledTimes(1);
  stop();
});

test("a proof that is refused again is not asked for a second time", async () => {
  const act = vi.fn().mockRejectedValue(stale());
  const ask = vi.fn().mockResolvedValue(true);
  const stop = answerStepUps(ask);
  await expect(withFreshProof(act)).rejects.toThrow("step_up_required");
  expect([act.mock.calls.length, ask.mock.calls.length]).toEqual([2, 1]);
  stop();
});

test("other refusals and pages without the dialogue ask nobody", async () => {
  const ask = vi.fn().mockResolvedValue(true);
  const stop = answerStepUps(ask);
  const act = vi.fn().mockRejectedValue(new RefusedByServer(problem("not_allowed", 403)));
  await expect(withFreshProof(act)).rejects.toThrow("not_allowed");
  stop();
  await expect(withFreshProof(vi.fn().mockRejectedValue(stale()))).rejects.toThrow();
  expect(ask).not.toHaveBeenCalled();
});
