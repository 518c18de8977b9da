import type { ReviewBody } from "@/api/types";

export const QUESTIONS = ["doctrine_fit", "risks_stated", "operable", "precedent_safe"] as const;

type Answer = "yes" | "no" | "";

export interface ReviewValues extends Record<(typeof QUESTIONS)[number], Answer> {
  decision: ReviewBody["decision"] | "";
  reason: string;
  constraints: string;
}

/** What is sent for a filled form; null while a decision is missing. */
export function reviewBody(values: ReviewValues): ReviewBody | null {
  if (values.decision === "") return null;
  const constraints =
    values.decision === "accept_with_constraints"
      ? values.constraints
          .split("\n")
          .map((line) => line.trim())
          .filter((line) => line !== "")
      : [];
  return {
    decision: values.decision,
    reason: values.reason.trim(),
    answers: {
      doctrine_fit: values.doctrine_fit === "yes",
      risks_stated: values.risks_stated === "yes",
      operable: values.operable === "yes",
      precedent_safe: values.precedent_safe === "yes",
    },
    constraints,
  };
}
