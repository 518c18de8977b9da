import type { Plan, PlanBody } from "@/api/types";

export type HandKind = Exclude<Plan["kind"], "release" | "reserve_release">;
export type ReasonCode = NonNullable<PlanBody["reason_code"]>;

interface HandRule {
  lines: boolean;
  target: "plan" | "position" | null;
  reasons: readonly ReasonCode[];
}

const FAULTS: readonly ReasonCode[] = ["quality_issue", "delivery_failure", "delay_exit"];

/** What each act by hand asks for; escrow judges it again. */
export const HAND_RULES: Record<HandKind, HandRule> = {
  manual_refund: { lines: true, target: null, reasons: FAULTS },
  partial_refund: { lines: true, target: null, reasons: ["partial", ...FAULTS] },
  outside_payout: { lines: true, target: null, reasons: ["refund_failed"] },
  goodwill: { lines: true, target: null, reasons: FAULTS },
  recovery: { lines: true, target: "plan", reasons: [...FAULTS, "chargeback"] },
  correction: { lines: true, target: "position", reasons: ["wrong_posting"] },
  give_up: { lines: false, target: "plan", reasons: ["transfer_refused"] },
};

export const HAND_KINDS = Object.keys(HAND_RULES) as HandKind[];

const WRITTEN = /^(\d{1,12}|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,2}))?$/;

/** An amount as a person writes it, in minor units of a currency with two digits; null when it is none. */
export function minorOf(text: string): number | null {
  const found = WRITTEN.exec(text.trim());
  if (found === null) return null;
  const whole = (found[1] ?? "").replaceAll(",", "");
  return Number(`${whole}${(found[2] ?? "").padEnd(2, "0")}`);
}

/** Plans that an act of this kind can be about. */
export function targetsOf(kind: HandKind, plans: readonly Plan[]): Plan[] {
  if (kind === "recovery") return plans.filter((plan) => plan.state === "RELEASED");
  return plans.filter((plan) => plan.state === "SENDING" && plan.transfer === null);
}
