import type { Campaign } from "@/api/types";
import type { Step } from "@/shared/Steps";

export type StepName =
  | "draft"
  | "review"
  | "opened"
  | "target"
  | "acceptance"
  | "fulfillment"
  | "inspection"
  | "completed"
  | "closed";

export interface TimelineStep {
  name: StepName;
  state: Step["state"];
}

const WAY: readonly (readonly [string, StepName])[] = [
  ["DRAFT", "draft"],
  ["IN_REVIEW", "review"],
  ["ACTIVE", "opened"],
  ["TARGET_ACHIEVED", "target"],
  ["PENDING_ACCEPTANCE", "acceptance"],
  ["FULFILLMENT", "fulfillment"],
  ["INSPECTION", "inspection"],
  ["COMPLETED", "completed"],
];

/** Which step a closed campaign did not get beyond. */
const ENDED_AT: Readonly<Record<string, StepName>> = {
  target_not_reached: "target",
  supplier_declined: "acceptance",
  acceptance_timeout: "acceptance",
  fulfillment_failed: "fulfillment",
  rejected: "review",
};

/** The campaign's way, from what is known of it: steps done, the present one, those to come. */
export function timelineOf(campaign: Campaign): TimelineStep[] {
  const { state } = campaign.progress;
  if (state === "CLOSED") return closedTimeline(campaign);
  const at = WAY.findIndex(([name]) => name === state);
  return WAY.map(([, name], index) => ({ name, state: stepState(index, at) })).filter(
    // Before the opening nobody else sees the campaign; afterwards its preparation is no news.
    ({ name, state: step }) => step === "now" || (name !== "draft" && name !== "review"),
  );
}

function stepState(index: number, at: number): Step["state"] {
  if (at === WAY.length - 1) return "done";
  if (index < at) return "done";
  return index === at ? "now" : "next";
}

function closedTimeline(campaign: Campaign): TimelineStep[] {
  const ended = ENDED_AT[campaign.closed_reason ?? ""];
  const endedAt = WAY.findIndex(([, name]) => name === ended);
  const way = WAY.filter(([, name]) => name !== "draft" && name !== "review");
  const before = way
    .filter(([, name]) => WAY.findIndex(([, other]) => other === name) < endedAt)
    .map(([, name]): TimelineStep => ({ name, state: "done" }));
  const missed: TimelineStep[] =
    ended === undefined || ended === "review" ? [] : [{ name: ended, state: "not" }];
  return [...before, ...missed, { name: "closed", state: "now" }];
}
