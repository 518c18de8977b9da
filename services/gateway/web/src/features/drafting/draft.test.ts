import { describe, expect, it } from "vitest";
import { differences } from "@/features/drafting/conflict";
import { contentOf, EMPTY, Reading, valuesOf } from "@/features/drafting/draft";
import { readAmount, readHundredths, writeAmount } from "@/features/drafting/writing";
import { campaign } from "@/testing/fixtures";

const content = contentOf(campaign);
const CLOSE_AT = content.terms.close_at;

describe("a draft as it is typed", () => {
  it("says the same as what is stored when nothing was changed, to the letter", () => {
    const exact = {
      ...content,
      terms: { ...content.terms, close_at: "2026-12-05T00:00:07.250003Z" },
    };
    const { body, faults } = new Reading(valuesOf(exact), exact.terms.close_at);
    expect(faults).toEqual([]);
    expect(body).toEqual({ ...exact, readiness: null });
  });

  it("names every field that is missing, and the readiness answers once one is given", () => {
    const names = new Reading(EMPTY, null).faults.map(([path]) => path);
    expect(names).toContain("terms.title");
    expect(names).toContain("terms.close_at");
    expect(names.some((path) => path.startsWith("readiness"))).toBe(false);
    const begun = { ...EMPTY, readiness: { ...EMPTY.readiness, owner: "olga" } };
    expect(new Reading(begun, null).faults.map(([path]) => path)).toContain("readiness.backup");
  });

  it.each([
    ["target_units", "0", "whole"],
    ["target_units", "2.5", "whole"],
    ["target_units", "-3", "whole"],
    ["capacity_units", "39", "belowTarget"],
    ["max_units", "0", "whole"],
    ["unit_price_minor", "5.499", "amount"],
    ["unit_price_minor", "0.00", "amount"],
    ["currency", "dollars", "currency"],
    ["fee_basis_points", "100.01", "percent"],
    ["close_at", "tomorrow", "moment"],
    ["delivery_window_days", "366", "whole"],
    ["refund_terms", "  ", "required"],
  ] as const)("refuses %s of %s", (field, text, fault) => {
    const values = valuesOf(content);
    const changed = { ...values, terms: { ...values.terms, [field]: text } };
    expect(new Reading(changed, CLOSE_AT).faults).toContainEqual([`terms.${field}`, fault]);
  });

  it("reads amounts exactly, with the digits of their currency", () => {
    expect(readAmount("1,098.5", "usd")).toBe(109_850);
    expect(readAmount("9999999999999.99", "usd")).toBe(999_999_999_999_999);
    expect(readAmount("549", "jpy")).toBe(549);
    expect(readAmount("549.5", "jpy")).toBeNull();
    expect(writeAmount(5, "usd")).toBe("0.05");
    expect(writeAmount(549, "jpy")).toBe("549");
    expect(readHundredths("2.75 %")).toBe(275);
  });
});

describe("two versions of a draft", () => {
  it("differ where they say different things, not where they are written differently", () => {
    const mine = valuesOf(content);
    mine.terms.unit_price_minor = "549";
    mine.terms.title = "Capitol Hill grinder";
    const stored = { ...content, terms: { ...content.terms, target_units: 41 } };
    expect(differences(mine, content, stored)).toEqual([
      { path: "terms.title", byMe: true },
      { path: "terms.target_units", byMe: false },
    ]);
  });
});
