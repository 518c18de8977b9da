import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { CardRefused, ConnectionLost, RefusedByServer } from "@/api/problem";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { problem } from "@/testing/fixtures";
import { show } from "@/testing/render";

describe("a refusal", () => {
  it("shows what it is, what to do next, its facts and a reference", async () => {
    const refusal = problem("over_capacity", 409, { facts: { units_left: 3 } });
    show(<ProblemNotice error={new RefusedByServer(refusal)} />);
    const words = (await screen.findByRole("alert")).textContent;
    expect(words).toContain("Title of over_capacity");
    expect(words).toContain("What to do about over_capacity.");
    expect(words).toContain("Units left: 3");
    expect(words).toContain("4bf92f3577b34da6a3ce929d0e0e4736");
  });

  it("names each field that does not fit", async () => {
    const refusal = problem("validation_failed", 422, {
      errors: [{ pointer: "/quantity", message: "must be above zero", code: "greater_than" }],
    });
    show(<ProblemNotice error={new RefusedByServer(refusal)} />);
    expect(await screen.findByText("Units: must be above zero")).toBeTruthy();
  });

  it("tells a decline in the card's words and until when another card can be used", async () => {
    const refusal = problem("payment_declined", 402, {
      facts: { decline_code: "insufficient_funds", retry_until: "2026-11-24T18:27:00Z" },
    });
    show(<ProblemNotice error={new RefusedByServer(refusal)} />);
    const words = (await screen.findByRole("alert")).textContent;
    expect(words).toContain("does not have enough funds");
    expect(words).toMatch(/Nothing was charged\. Your units stay reserved until .*2026/);
  });

  it("falls back to plain words for a decline code that it does not know", async () => {
    const refusal = problem("payment_declined", 402, { facts: { decline_code: "new_code" } });
    show(<ProblemNotice error={new RefusedByServer(refusal)} />);
    expect((await screen.findByRole("alert")).textContent).toContain("did not say why");
  });

  it("says that nothing is done twice when no answer came", async () => {
    show(<ProblemNotice error={new ConnectionLost()} />);
    expect((await screen.findByRole("alert")).textContent).toContain("never done twice");
  });

  it("says which detail of a card is not right", async () => {
    show(<ProblemNotice error={new CardRefused("incorrect_number", "number")} />);
    expect((await screen.findByRole("alert")).textContent).toContain("card number is not right");
  });
});
