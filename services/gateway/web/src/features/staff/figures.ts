import type { Campaign, Money, Plan } from "@/api/types";
import { minus, plus } from "@/shared/format";

export interface FigureLine {
  account: "held" | "reserve" | "fees" | "toSupplier";
  before: Money;
  movement: Money;
  after: Money;
}

/**
 * The accounts that a plan moves, before and after it.
 *
 * A release takes its gross amount from what is held; the release of a reserve takes it from the
 * reserve. Either way the movements sum to zero.
 */
export function figuresOf(plan: Plan, money: Campaign["money"]): FigureLine[] {
  const out = negative(plan.gross);
  const fromReserve = plan.kind === "reserve_release";
  const zero: Money = { amount: 0, currency: plan.gross.currency };
  const moved: [FigureLine["account"], Money, Money][] = [
    ["held", money.held, fromReserve ? zero : out],
    ["reserve", money.reserved_for_issues, fromReserve ? plus(out, plan.reserve) : plan.reserve],
    ["fees", money.fees, plan.fee],
    ["toSupplier", money.released, plan.net],
  ];
  return moved.map(([account, before, movement]) => ({
    account,
    before,
    movement,
    after: plus(before, movement),
  }));
}

function negative(money: Money): Money {
  return minus({ amount: 0, currency: money.currency }, money);
}
