import { describe, expect, it } from "vitest";
import type { Plan } from "@/api/types";
import { campaign, plan } from "@/testing/fixtures";
import { figuresOf } from "./figures";

const usd = (amount: number) => ({ amount, currency: "USD" });
const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0);

describe("a plan's figures", () => {
  it("move the gross amount out of what is held and nothing else", () => {
    const lines = figuresOf(plan, campaign.money);
    expect(sum(lines.map(({ movement }) => movement.amount))).toBe(0);
    expect(lines[0]?.after).toEqual(usd(0));
    expect(lines.at(-1)?.after).toEqual(plan.net);
  });

  it("sum to zero with a reserve kept back", () => {
    const withReserve: Plan = {
      ...plan,
      reserve: usd(54_900),
      net: usd(plan.net.amount - 54_900),
    };
    const lines = figuresOf(withReserve, campaign.money);
    expect(sum(lines.map(({ movement }) => movement.amount))).toBe(0);
    expect(lines[1]?.after).toEqual(usd(54_900));
  });

  it("take the release of a reserve from the reserve", () => {
    const reserve: Plan = {
      ...plan,
      kind: "reserve_release",
      gross: usd(54_900),
      reserve: usd(0),
      fee: usd(1_647),
      net: usd(53_253),
    };
    const lines = figuresOf(reserve, { ...campaign.money, reserved_for_issues: usd(54_900) });
    expect(sum(lines.map(({ movement }) => movement.amount))).toBe(0);
    expect(lines[0]?.movement).toEqual(usd(0));
    expect(lines[1]?.after).toEqual(usd(0));
  });
});
