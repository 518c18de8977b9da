import type { Money, Plan } from "@/api/types";
import { minus } from "@/shared/format";

export type FigureLine = Plan["preview"][number];

/** Accounts whose ordinary balance is a debit: what is held, and what the platform spends. */
const DEBITS: ReadonlySet<string> = new Set([
  "psp_clearing",
  "psp_pending",
  "psp_available",
  "psp_reserved",
  "psp_cost",
  "goodwill",
]);

/**
 * The accounts that a plan moves, before and after it, as escrow computed them.
 *
 * In the ledger a credit is positive. People read what is held and what is spent as positive amounts,
 * so those accounts are turned round; all movements of the ledger still sum to zero.
 */
export function figuresOf(plan: Plan): FigureLine[] {
  return plan.preview.map((line) =>
    DEBITS.has(line.account)
      ? {
          account: line.account,
          before: negative(line.before),
          movement: negative(line.movement),
          after: negative(line.after),
        }
      : line,
  );
}

function negative(money: Money): Money {
  return minus({ amount: 0, currency: money.currency }, money);
}
