import { describe, expect, it } from "vitest";
import type { Flows } from "@/api/types";
import { PARTS, sharesOf } from "./flows";

const NOTHING = Object.fromEntries(
  PARTS.map((name) => [name, { amount: 0, currency: "USD" }]),
) as unknown as Flows;

describe("the parts of what came in", () => {
  it("stand side by side and fill the whole", () => {
    const shares = sharesOf({
      ...NOTHING,
      held: { amount: 300, currency: "USD" },
      released: { amount: 100, currency: "USD" },
    });
    expect(shares.map(({ name, from, width }) => [name, from, width])).toEqual([
      ["held", 0, 0.75],
      ["released", 0.75, 0.25],
    ]);
  });

  it("are none where nothing came in", () => {
    expect(sharesOf(NOTHING)).toEqual([]);
  });
});
