import type { Commitment } from "@/api/types";
import type { Step } from "@/shared/Steps";

export type EventName =
  | "created"
  | "action"
  | "declined"
  | "held"
  | "target"
  | "acceptance"
  | "dispatched"
  | "delivered"
  | "issue"
  | "issueUpheld"
  | "issueRejected"
  | "released"
  | "refundDecided"
  | "refundPending"
  | "refundSent"
  | "refundFailed"
  | "refundByBank"
  | "disputed"
  | "disputeWon"
  | "disputeLost"
  | "ended"
  | "refused";

export interface CommitmentEvent {
  name: EventName;
  state: Step["state"];
  at: string | null;
}

const HELD_ON = new Set(["LOCKED", "RELEASED"]);
/** States of a campaign by which the target, and then the acceptance, lies behind. */
const AFTER_TARGET = ["PENDING_ACCEPTANCE", "FULFILLMENT", "INSPECTION", "COMPLETED"];
const AFTER_ACCEPTANCE = ["FULFILLMENT", "INSPECTION", "COMPLETED"];

/** What happened to a commitment and what comes next, from what is known of it. */
export function timelineOf(commitment: Commitment): CommitmentEvent[] {
  const created: CommitmentEvent = { name: "created", state: "done", at: commitment.created_at };
  if (commitment.state === "REFUSED") return [created, { name: "refused", state: "now", at: null }];
  return [
    created,
    ...paymentEvents(commitment),
    ...disputeEvents(commitment),
    ...afterwards(commitment),
  ];
}

function paymentEvents(commitment: Commitment): CommitmentEvent[] {
  if (commitment.locked_at !== null) {
    const waiting = commitment.state === "LOCKED" && commitment.campaign_state === "ACTIVE";
    return [{ name: "held", state: waiting ? "now" : "done", at: commitment.locked_at }];
  }
  if (commitment.state !== "PENDING_FUNDS") return [];
  const { state } = commitment.payment;
  const asked: CommitmentEvent[] =
    state === "action_required"
      ? [{ name: "action", state: "now", at: null }]
      : state === "declined"
        ? [{ name: "declined", state: "now", at: null }]
        : [];
  return [...asked, { name: "held", state: asked.length > 0 ? "next" : "now", at: null }];
}

function afterwards(commitment: Commitment): CommitmentEvent[] {
  if (commitment.refund !== null) return [...issueEvents(commitment), ...refundEvents(commitment)];
  if (!HELD_ON.has(commitment.state)) {
    return commitment.state === "PENDING_FUNDS" ? [] : [{ name: "ended", state: "now", at: null }];
  }
  return [...wayEvents(commitment), ...issueEvents(commitment), released(commitment)];
}

function wayEvents({ campaign_state: campaign, delivery }: Commitment): CommitmentEvent[] {
  const accepted = AFTER_ACCEPTANCE.includes(campaign);
  const target = AFTER_TARGET.includes(campaign);
  const dispatched = delivery !== null;
  const delivered = delivery?.state === "delivered";
  return [
    { name: "target", state: target ? "done" : stateIf(campaign === "TARGET_ACHIEVED"), at: null },
    { name: "acceptance", state: accepted ? "done" : stateIf(target), at: null },
    { name: "dispatched", state: dispatched ? "done" : stateIf(accepted), at: null },
    { name: "delivered", state: delivered ? "done" : stateIf(dispatched), at: null },
  ];
}

function issueEvents({ issue }: Commitment): CommitmentEvent[] {
  if (issue === null) return [];
  const reported: CommitmentEvent = {
    name: "issue",
    state: issue.state === "open" ? "now" : "done",
    at: issue.reported_at,
  };
  if (issue.state === "open") return [reported];
  const name = issue.state === "upheld" ? "issueUpheld" : "issueRejected";
  return [reported, { name, state: "done", at: issue.decided_at }];
}

function disputeEvents({ dispute }: Commitment): CommitmentEvent[] {
  if (dispute === null) return [];
  const open = dispute.state === "open";
  const opened: CommitmentEvent = {
    name: "disputed",
    state: open ? "now" : "done",
    at: dispute.opened_at,
  };
  if (open) return [opened];
  const name = dispute.state === "lost" ? "disputeLost" : "disputeWon";
  return [opened, { name, state: "done", at: dispute.decided_at }];
}

function refundEvents({ refund }: Commitment): CommitmentEvent[] {
  if (refund === null) return [];
  const decided: CommitmentEvent = { name: "refundDecided", state: "done", at: refund.decided_at };
  if (refund.state === "failed") {
    return [decided, { name: "refundFailed", state: "now", at: null }];
  }
  if (refund.state === "charged_back") {
    return [decided, { name: "refundByBank", state: "done", at: null }];
  }
  const sent = refund.state === "sent";
  return [
    decided,
    { name: "refundPending", state: sent ? "done" : "now", at: null },
    { name: "refundSent", state: sent ? "done" : "next", at: refund.sent_at },
  ];
}

function released(commitment: Commitment): CommitmentEvent {
  const delivered = commitment.delivery?.state === "delivered" && commitment.issue === null;
  const state = commitment.state === "RELEASED" ? "done" : stateIf(delivered);
  return { name: "released", state, at: null };
}

function stateIf(reached: boolean): Step["state"] {
  return reached ? "now" : "next";
}
