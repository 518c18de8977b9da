import { screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { Movement } from "@/api/types";
import { show } from "@/testing/render";
import { server } from "@/testing/server";
import { MoneySection } from "./MoneySection";

const ID = "0f6a1d00-0000-4000-8000-0000000000e1";
const LOCK: Movement = {
  at: "2026-11-21T09:00:00Z",
  sentence: "$549.00 was taken from the card and is held in escrow, because the payment succeeded.",
  why: "the payment succeeded",
  approval: "The rule acts by itself.",
  approved_by: [],
  transfer: {
    id: "0f6a1d00-0000-4000-8000-0000000000d1",
    kind: "lock",
    amount: { amount: 54_900, currency: "USD" },
    seq: 1,
    hash: "9f86d081884c7d65",
  },
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  proof: null,
  next: null,
};
const DECIDED: Movement = {
  ...LOCK,
  sentence: "$549.00 is owed back, because the participant withdrew.",
  transfer: { ...LOCK.transfer, id: "0f6a1d00-0000-4000-8000-0000000000d2", seq: 3 },
  approved_by: ["escrow auditor", "escrow auditor"],
  proof: { checkpoint: 7, href: `/v1/me/commitments/${ID}/proof` },
  next: { words: "The refund goes to the payment processor.", by: "2026-11-22T09:00:00Z" },
};

function serve(movements: Movement[]) {
  server.use(
    http.get(`*/v1/me/commitments/${ID}/money`, () =>
      HttpResponse.json({ movements, pseudonym: "3f9ac41b7d02" }),
    ),
  );
}

describe("where my money is", () => {
  it("tells each movement in its sentence, with its transfer, and what comes next", async () => {
    serve([LOCK, DECIDED]);
    show(<MoneySection commitmentId={ID} />);
    expect(await screen.findByText(LOCK.sentence)).toBeTruthy();
    expect(screen.getByText("Ledger transfer 3: $549.00")).toBeTruthy();
    expect(screen.getByText("Next: The refund goes to the payment processor.")).toBeTruthy();
    expect(screen.getByText(/3f9ac41b7d02/)).toBeTruthy();
    expect(screen.getByText("escrow auditor, escrow auditor")).toBeTruthy();
    const proof = screen.getByText("In signed checkpoint 7; keep the file");
    expect(proof.getAttribute("href")).toBe(DECIDED.proof?.href);
    expect(screen.getByText(/^None of its own so far/)).toBeTruthy();
    const record = screen.getByRole("link", { name: "Commitment record (PDF)" });
    expect(record.getAttribute("href")).toBe(`/v1/me/commitments/${ID}/record?format=pdf`);
  });

  it("says so where no money has moved", async () => {
    serve([]);
    show(<MoneySection commitmentId={ID} />);
    expect(await screen.findByText("No money has moved so far.")).toBeTruthy();
  });
});
