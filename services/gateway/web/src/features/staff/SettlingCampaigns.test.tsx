import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { SettlingCampaigns } from "@/features/staff/SettlingCampaigns";
import { CAMPAIGN_ID } from "@/testing/fixtures";
import { show } from "@/testing/render";
import { server } from "@/testing/server";

describe("campaigns that owe refunds", () => {
  it("stand in a table with how many are paid and the pace of the last minutes", async () => {
    const row = {
      id: CAMPAIGN_ID,
      title: "Dryers for Ballard",
      state: "CLOSED",
      oldest_decided_at: "2026-11-21T14:10:00Z",
      settlement: {
        refunds_owed: 3,
        refunds_paid: 37,
        refunds_waiting: 1,
        paid_lately: 29,
        owed: { amount: 30_000, currency: "USD" },
        paid: { amount: 370_000, currency: "USD" },
        expected_by: null,
      },
    };
    server.use(
      http.get("*/v1/refunds/campaigns", () =>
        HttpResponse.json({ data: [row], next_cursor: null }),
      ),
    );
    show(<SettlingCampaigns />);
    expect(await screen.findByText("Dryers for Ballard")).toBeTruthy();
    expect(screen.getByText("37 of 40")).toBeTruthy();
    expect(screen.getByText("29")).toBeTruthy();
    expect(screen.getByText("No pace to go on from")).toBeTruthy();
  });
});
