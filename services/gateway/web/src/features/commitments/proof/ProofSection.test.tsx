import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { expect, it } from "vitest";
import { COMMITMENT_ID } from "@/testing/fixtures";
import { vectors } from "@/testing/proofVectors";
import { show } from "@/testing/render";
import { refuse, server } from "@/testing/server";
import { ProofSection } from "./ProofSection";

const CHECK = { name: "Check the proof in this browser" };

it("checks the proof step by step and says what it does not show", async () => {
  server.use(
    http.get("*/v1/me/commitments/:id/proof", () => HttpResponse.json(vectors.commitment_proof)),
  );
  show(<ProofSection commitmentId={COMMITMENT_ID} />);
  await userEvent.setup().click(await screen.findByRole("button", CHECK));
  expect(await screen.findByText("Everything that was checked holds.")).toBeTruthy();
  expect(screen.getByText(/movement 6 \(refund_decided\)/)).toBeTruthy();
  expect(screen.getByText(/What Stripe really holds/)).toBeTruthy();
  expect(screen.queryByText("FAILS:")).toBeNull();
});

it("names what fails", async () => {
  const proof = structuredClone(vectors.commitment_proof);
  proof.state.amounts.escrow += 1;
  server.use(http.get("*/v1/me/commitments/:id/proof", () => HttpResponse.json(proof)));
  show(<ProofSection commitmentId={COMMITMENT_ID} />);
  await userEvent.setup().click(await screen.findByRole("button", CHECK));
  expect(await screen.findByText(/Something does not hold/)).toBeTruthy();
  expect(screen.getAllByText("FAILS:").length).toBe(2);
});

it("says when there is no proof yet", async () => {
  server.use(
    http.get("*/v1/me/commitments/:id/proof", () =>
      refuse({
        type: "/problems/proof_not_ready",
        title: "There is no proof of this commitment yet",
        status: 409,
        detail: "Ask again in a minute.",
        instance: "/v1/me/commitments/x/proof",
        code: "proof_not_ready",
        facts: {},
        errors: [],
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        request_id: "r1",
      }),
    ),
  );
  show(<ProofSection commitmentId={COMMITMENT_ID} />);
  await userEvent.setup().click(await screen.findByRole("button", CHECK));
  expect(await screen.findByText("There is no proof of this commitment yet")).toBeTruthy();
});
