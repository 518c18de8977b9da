import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { Escrow, Flows, Transfer } from "@/api/types";
import { show } from "@/testing/render";
import { server } from "@/testing/server";
import { EscrowParts } from "./EscrowParts";

const usd = (amount: number) => ({ amount, currency: "USD" });
const SUMS: Flows = {
  currency: "USD",
  received: usd(109_800),
  goodwill: usd(0),
  held: usd(54_900),
  frozen_by_disputes: usd(0),
  reserved_for_issues: usd(0),
  refund_owed: usd(0),
  cleared_not_sent: usd(0),
  refunded: usd(54_900),
  paid_outside: usd(0),
  released: usd(0),
  fees: usd(0),
  taken_by_disputes: usd(0),
  borne_by_platform: usd(0),
  at_processor: usd(60_000),
  owed: usd(54_900),
  transfers: 3,
};
const TRANSFER: Transfer = {
  id: "0f6a1d00-0000-4000-8000-0000000000d1",
  at: "2026-11-21T09:00:00Z",
  kind: "lock",
  sentence: "$549.00 was taken from the card and is held in escrow, because the payment succeeded.",
  amount: usd(54_900),
  reason: "the payment succeeded",
  approval: "The rule acts by itself.",
  approved_by: [],
  commitment: "3f9ac41b7d02",
  campaign_id: null,
  campaign_title: null,
  seq: null,
  hash: "9f86d081884c7d65",
};

function serve(equal: boolean) {
  const escrow: Escrow = {
    campaign_id: null,
    campaign_title: null,
    sums: [SUMS],
    equal,
    checks: [{ name: "in_equals_out", words: "What came in equals what went out.", holds: equal }],
    checked_at: "2026-11-21T12:00:00Z",
    head_hash: null,
    explained: [],
  };
  server.use(
    http.get("*/v1/transparency", () => HttpResponse.json(escrow)),
    http.get("*/v1/transparency/transfers", () =>
      HttpResponse.json({ data: [TRANSFER], next_cursor: null }),
    ),
    http.get("*/v1/payment-rail", () =>
      HttpResponse.json({ disclosure: ["Your money is held by Stripe."], short: "", holder: "" }),
    ),
  );
}

describe("the escrow that everybody can add up", () => {
  it("shows the sums, where the money is, and every transfer with its sentence", async () => {
    serve(true);
    show(<EscrowParts campaignId={null} title="Escrow" />);
    expect(await screen.findByText(/Equal to the entries/)).toBeTruthy();
    expect(screen.getByRole("img", { name: /Held \$549\.00, Refunded \$549\.00/ })).toBeTruthy();
    expect(await screen.findByText(/\$549\.00 was taken from the card/)).toBeTruthy();
    expect(screen.getByText(/A campaign that you cannot see/)).toBeTruthy();
    expect(await screen.findByText("Your money is held by Stripe.")).toBeTruthy();
    const file = screen.getByRole("link", { name: "Transfers (CSV)" });
    expect(file.getAttribute("href")).toBe("/v1/transparency/export?format=csv");
  });

  it("says a difference as plainly as an equality", async () => {
    serve(false);
    show(<EscrowParts campaignId={null} title="Escrow" />);
    expect(await screen.findByText(/Not equal to the entries/)).toBeTruthy();
    expect(screen.getByText("Does not hold")).toBeTruthy();
  });
});
