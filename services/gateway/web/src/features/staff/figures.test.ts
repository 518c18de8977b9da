import { describe, expect, it } from "vitest";
import { plan } from "@/testing/fixtures";
import { figuresOf } from "./figures";
import { minorOf } from "./hand";

const amounts = (account: string) => {
  const line = figuresOf(plan).find((each) => each.account === account);
  return [line?.before.amount, line?.movement.amount, line?.after.amount];
};

describe("a plan's figures", () => {
  it("show what the ledger says of an account that is owed", () => {
    expect(amounts("escrow")).toEqual([1_701_900, -1_701_900, 0]);
  });

  it("show what is held as a positive amount", () => {
    expect(amounts("psp_clearing")).toEqual([1_701_900, -1_650_843, 51_057]);
  });
});

describe("an amount that a person writes", () => {
  it("is read exactly, without binary fractions", () => {
    expect(["12", "12.5", "0.07", "1,234.56"].map((text) => minorOf(text))).toEqual([
      1200, 1250, 7, 123_456,
    ]);
  });

  it("is nothing when it is no amount", () => {
    expect(["", "abc", "1.234", "-5"].map((text) => minorOf(text))).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});
