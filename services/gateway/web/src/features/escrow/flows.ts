import type { Flows, Money } from "@/api/types";

/** Where what came in is now: the parts add up to it, goodwill included. */
export const PARTS = [
  "held",
  "frozen_by_disputes",
  "reserved_for_issues",
  "refund_owed",
  "cleared_not_sent",
  "refunded",
  "paid_outside",
  "released",
  "fees",
  "taken_by_disputes",
] as const;

export type PartName = (typeof PARTS)[number];

export interface Share {
  name: PartName;
  money: Money;
  /** Where the part begins and how wide it is, of 1. */
  from: number;
  width: number;
}

/** The parts above zero, side by side. Widths are for the eye alone; the figures are the money. */
export function sharesOf(sums: Flows): Share[] {
  const parts = PARTS.map((name) => ({ name, money: sums[name] })).filter(
    ({ money }) => money.amount > 0,
  );
  const all = parts.reduce((sum, { money }) => sum + money.amount, 0);
  let from = 0;
  return parts.map((part) => {
    const width = part.money.amount / all;
    const share = { ...part, from, width };
    from += width;
    return share;
  });
}
