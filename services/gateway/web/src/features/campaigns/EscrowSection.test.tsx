import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { Campaign } from "@/api/types";
import { EscrowSection } from "@/features/campaigns/EscrowSection";
import { SettlingCampaigns } from "@/features/staff/SettlingCampaigns";
import { CAMPAIGN_ID, campaign } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

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

  it("stand in a table for staff with the pace of the last minutes", async () => {
    const row = {
      id: CAMPAIGN_ID,
      title: "Dryers for Ballard",
      state: "CLOSED",
      oldest_decided_at: "2026-11-21T14:10:00Z",
      settlement: { ...SETTLEMENT, expected_by: null },
    };
    server.use(
      http.get("*/v1/refunds/campaigns", () =>
        HttpResponse.json({ data: [row], next_cursor: null }),
      ),
    );
    show(<SettlingCampaigns />);
    expect(await screen.findByText("Dryers for Ballard")).toBeTruthy();
    expect(screen.getByText("37 of 40")).toBeTruthy();
    expect(screen.getByText("No pace to go on from")).toBeTruthy();
  });
});
