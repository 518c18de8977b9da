import { describe, expect, it } from "vitest";
import type { Commitment } from "@/api/types";
import { commitment, declinedCommitment } from "@/testing/fixtures";
import { timelineOf } from "./timeline";

const steps = (one: Commitment) => timelineOf(one).map(({ name, state }) => `${name} ${state}`);

const refund = {
  amount: commitment.amount,
  reason: "withdrawn",
  decided_at: "2026-11-25T09:00:00Z",
  sent_at: null,
};

describe("a commitment's timeline", () => {
  it("shows held funds and the way to the release", () => {
    expect(steps(commitment)).toEqual([
      "created done",
      "held now",
      "target next",
      "acceptance next",
      "dispatched next",
      "delivered next",
      "released next",
    ]);
  });

  it("says that a declined card held nothing", () => {
    expect(steps(declinedCommitment)).toEqual(["created done", "declined now", "held next"]);
  });

  it("follows a refund until it is paid", () => {
    const leaving: Commitment = { ...commitment, state: "WITHDRAWN" };
    const pending: Commitment = { ...leaving, refund: { ...refund, state: "pending" } };
    expect(steps(pending).slice(-3)).toEqual([
      "refundDecided done",
      "refundPending now",
      "refundSent next",
    ]);
    const sent: Commitment = {
      ...leaving,
      refund: { ...refund, state: "sent", sent_at: "2026-11-26T09:00:00Z" },
    };
    expect(steps(sent).at(-1)).toBe("refundSent done");
    const failed: Commitment = { ...leaving, refund: { ...refund, state: "failed" } };
    expect(steps(failed).at(-1)).toBe("refundFailed now");
  });

  it("shows delivery, and the release once it is there", () => {
    const delivered: Commitment = {
      ...commitment,
      campaign_state: "INSPECTION",
      delivery: { state: "delivered", tracking: null, inspection_until: null },
    };
    expect(steps(delivered).at(-1)).toBe("released now");
    const released: Commitment = { ...delivered, state: "RELEASED", campaign_state: "COMPLETED" };
    expect(timelineOf(released).every(({ state }) => state === "done")).toBe(true);
  });

  it("says that nothing was charged when a join was not accepted", () => {
    const refused: Commitment = { ...commitment, state: "REFUSED", locked_at: null };
    expect(steps(refused)).toEqual(["created done", "refused now"]);
  });
});
