import { describe, expect, it } from "vitest";
import {
  addDays,
  formatBasisPoints,
  formatMinor,
  formatMoney,
  minus,
  times,
} from "@/shared/format";

const usd = (amount: number) => ({ amount, currency: "USD" });

describe("an amount", () => {
  it.each([
    [0, "$0.00"],
    [5, "$0.05"],
    [54_900, "$549.00"],
    [1_701_900, "$17,019.00"],
    [-51_057, "-$510.57"],
  ])("of %d cents is written %s", (amount, words) => {
    expect(formatMoney(usd(amount))).toBe(words);
  });

  it("is exact where a number would not be", () => {
    expect(formatMinor(9_007_199_254_740_993n, "usd")).toBe("$90,071,992,547,409.93");
  });

  it("has as many digits as its currency", () => {
    expect(formatMinor(1_500n, "jpy")).toBe("¥1,500");
  });

  it("is multiplied and subtracted in minor units", () => {
    expect(times(usd(333), 3)).toEqual(usd(999));
    expect(minus(usd(100), usd(333))).toEqual(usd(-233));
  });
});

describe("other figures", () => {
  it("writes basis points as a percentage", () => {
    expect(formatBasisPoints(300)).toBe("3%");
    expect(formatBasisPoints(125)).toBe("1.25%");
  });

  it("adds days to a moment", () => {
    expect(addDays("2026-12-28T12:00:00Z", 7)).toBe("2027-01-04T12:00:00.000Z");
  });
});
