import { describe, expect, it } from "vitest";
import type { Campaign } from "@/api/types";
import { campaign } from "@/testing/fixtures";
import { timelineOf } from "./timeline";

function inState(
  state: Campaign["state"],
  closedReason: Campaign["closed_reason"] = null,
): Campaign {
  return {
    ...campaign,
    state,
    closed_reason: closedReason,
    progress: { ...campaign.progress, state },
  };
}

const names = (one: Campaign) => timelineOf(one).map(({ name, state }) => `${name} ${state}`);

describe("a campaign's timeline", () => {
  it("shows what is done, what is now and what comes next", () => {
    expect(names(inState("PENDING_ACCEPTANCE"))).toEqual([
      "opened done",
      "target done",
      "acceptance now",
      "fulfillment next",
      "inspection next",
      "completed next",
    ]);
  });

  it("shows every step as done at completion", () => {
    expect(timelineOf(inState("COMPLETED")).every(({ state }) => state === "done")).toBe(true);
  });

  it("says which step did not happen when a campaign closed", () => {
    expect(names(inState("CLOSED", "target_not_reached"))).toEqual([
      "opened done",
      "target not",
      "closed now",
    ]);
    expect(names(inState("CLOSED", "supplier_declined"))).toEqual([
      "opened done",
      "target done",
      "acceptance not",
      "closed now",
    ]);
  });

  it("shows its preparation only while it lasts", () => {
    expect(names(inState("DRAFT"))[0]).toBe("draft now");
    expect(names(inState("ACTIVE"))[0]).toBe("opened now");
  });

  it("ends a campaign that staff cancelled without naming a missed step", () => {
    expect(names(inState("CLOSED", "cancelled"))).toEqual(["closed now"]);
  });
});
