import { HttpResponse } from "msw";
import { setupServer } from "msw/node";
import type { Problem } from "@/api/types";

/** The interface as a test scripts it; a call that no test expects fails. */
export const server = setupServer();

export function refuse(problem: Problem, headers: Record<string, string> = {}) {
  return HttpResponse.json(problem, {
    status: problem.status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}
