import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Campaign } from "@/api/types";
import { EscrowSection } from "@/features/campaigns/EscrowSection";
import { campaign } from "@/testing/fixtures";
import { show } from "@/testing/render";

const SETTLEMENT: NonNullable<Campaign["settlement"]> = {
  refunds_owed: 3,
  refunds_paid: 37,
  refunds_waiting: 1,
  paid_lately: 37,
  owed: { amount: 30_000, currency: "USD" },
  paid: { amount: 370_000, currency: "USD" },
  expected_by: "2026-11-21T14:20:00Z",
};

describe("the refunds of a closed campaign", () => {
  it("are told with how many are paid, how much is owed, and when the last is expected", async () => {
    show(<EscrowSection campaign={{ ...campaign, settlement: SETTLEMENT }} />);
    const words = (await screen.findByText(/37 of 40 paid/)).textContent;
    expect(words).toContain("$300.00 still owed");
    expect(words).toMatch(/the last is paid by .*2026/);
    expect(words).toContain("1 of them waits");
  });

  it("are told as paid when all are", async () => {
    const settlement = { ...SETTLEMENT, refunds_owed: 0, refunds_paid: 40, expected_by: null };
    show(<EscrowSection campaign={{ ...campaign, settlement }} />);
    expect(await screen.findByText("Closed: all 40 refunds are paid.")).toBeTruthy();
  });
});
