import type { AlertRule } from "@/api/types";

/** The kinds of rules, in the sequence in which they are offered. */
export const ALERT_KINDS = [
  "target_percent",
  "closes_within",
  "campaign_state",
  "refund_unsettled",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** States that a rule can wait for, in the sequence of a campaign's life. */
export const ALERT_STATES = [
  "TARGET_ACHIEVED",
  "PENDING_ACCEPTANCE",
  "FULFILLMENT",
  "INSPECTION",
  "COMPLETED",
  "CLOSED",
] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** What a figure of each kind may be, and what is offered first. */
export const FIGURES: Record<
  Exclude<AlertKind, "campaign_state">,
  { max: number; first: number }
> = {
  target_percent: { max: 200, first: 80 },
  closes_within: { max: 60, first: 3 },
  refund_unsettled: { max: 720, first: 24 },
};

export interface AlertValues {
  kind: AlertKind;
  campaign_id: string;
  figure: string;
  state: AlertState;
}

/** The rule that a form's values stand for. */
export function ruleOf({ kind, campaign_id, figure, state }: AlertValues): AlertRule["rule"] {
  switch (kind) {
    case "target_percent":
      return { kind, campaign_id, percent: Number(figure) };
    case "closes_within":
      return { kind, campaign_id, days: Number(figure) };
    case "campaign_state":
      return { kind, campaign_id, state };
    case "refund_unsettled":
      return { kind, hours: Number(figure) };
  }
}
