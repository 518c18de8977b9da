import { describe, expect, it } from "vitest";
import { type ReviewValues, reviewBody } from "./review";

const filled: ReviewValues = {
  doctrine_fit: "yes",
  risks_stated: "yes",
  operable: "no",
  precedent_safe: "yes",
  decision: "defer",
  reason: "  The delivery plan is missing. ",
  constraints: "not sent",
};

describe("a review", () => {
  it("sends each answer as it was given", () => {
    expect(reviewBody(filled)).toEqual({
      decision: "defer",
      reason: "The delivery plan is missing.",
      answers: { doctrine_fit: true, risks_stated: true, operable: false, precedent_safe: true },
      constraints: [],
    });
  });

  it("sends constraints only with the decision that has them", () => {
    const constrained = reviewBody({
      ...filled,
      decision: "accept_with_constraints",
      constraints: "At most 40 units\n\n Pickup only ",
    });
    expect(constrained?.constraints).toEqual(["At most 40 units", "Pickup only"]);
  });

  it("is nothing to send without a decision", () => {
    expect(reviewBody({ ...filled, decision: "" })).toBeNull();
  });
});
