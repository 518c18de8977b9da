import type { Campaign, Money, Plan, PlanBody } from "@/api/types";
import { plus } from "@/shared/format";

export type HandKind = Exclude<Plan["kind"], "release" | "reserve_release">;
export type ReasonCode = NonNullable<PlanBody["reason_code"]>;

interface HandRule {
  lines: boolean;
  target: "plan" | "position" | null;
  reasons: readonly ReasonCode[];
  /** The sums on the campaign's page that it moves, and in which direction. */
  moves: Partial<Record<Sum, 1 | -1>>;
}

type Sum = "held" | "refund_owed" | "released";

export interface SumLine {
  sum: Sum;
  before: Money;
  movement: Money;
  after: Money;
}

const BACK: HandRule["moves"] = { held: -1, refund_owed: 1 };
const FAULTS: readonly ReasonCode[] = ["quality_issue", "delivery_failure", "delay_exit"];

/** What each act by hand asks for; escrow judges it again. */
export const HAND_RULES: Record<HandKind, HandRule> = {
  manual_refund: { lines: true, target: null, reasons: FAULTS, moves: BACK },
  partial_refund: { lines: true, target: null, reasons: ["partial", ...FAULTS], moves: BACK },
  outside_payout: {
    lines: true,
    target: null,
    reasons: ["refund_failed"],
    moves: { refund_owed: -1 },
  },
  goodwill: { lines: true, target: null, reasons: FAULTS, moves: { refund_owed: 1 } },
  recovery: { lines: true, target: "plan", reasons: [...FAULTS, "chargeback"], moves: {} },
  correction: { lines: true, target: "position", reasons: ["wrong_posting"], moves: {} },
  give_up: { lines: false, target: "plan", reasons: ["transfer_refused"], moves: {} },
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

/** What an act would do to the campaign's sums, as far as the page knows them; escrow computes every account. */
export function sumsOf(kind: HandKind, total: Money, money: Campaign["money"]): SumLine[] {
  return Object.entries(HAND_RULES[kind].moves).map(([name, sign]) => {
    const sum = name as Sum;
    const movement = { amount: sign * total.amount, currency: total.currency };
    return { sum, before: money[sum], movement, after: plus(money[sum], movement) };
  });
}
