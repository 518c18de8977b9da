import type { Problem } from "@/api/types";

/** What the pages know of a refusal, whether it came from the server or from the way to it. */
export type Refusal = RefusedByServer | ConnectionLost | CardRefused | PasskeyNotUsed;

/** The server said no, with a code, words and the next step. */
export class RefusedByServer extends Error {
  readonly problem: Problem;
  readonly retryAfterSeconds: number | null;

  constructor(problem: Problem, retryAfterSeconds: number | null = null) {
    super(problem.code);
    this.name = "RefusedByServer";
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer came; whether the request arrived is unknown, so the same key is sent again. */
export class ConnectionLost extends Error {
  constructor() {
    super("connection_lost");
    this.name = "ConnectionLost";
  }
}

/** The payment processor did not take the card's details; nothing was sent to Alpmera. */
export class CardRefused extends Error {
  readonly reason: string;
  readonly field: string | null;

  constructor(reason: string, field: string | null) {
    super(reason);
    this.name = "CardRefused";
    this.reason = reason;
    this.field = field;
  }
}

/** The person closed the browser's passkey dialogue, or the device holds no passkey that fits. */
export class PasskeyNotUsed extends Error {
  constructor() {
    super("passkey_not_used");
    this.name = "PasskeyNotUsed";
  }
}

export function isRefusal(error: unknown): error is Refusal {
  return (
    error instanceof RefusedByServer ||
    error instanceof ConnectionLost ||
    error instanceof CardRefused ||
    error instanceof PasskeyNotUsed
  );
}

export function hasCode(error: unknown, code: string): error is RefusedByServer {
  return error instanceof RefusedByServer && error.problem.code === code;
}

/** Whether nothing definite was said, so that the same act with the same key may be sent again. */
export function mayBeSentAgain(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  return (
    error instanceof RefusedByServer &&
    (error.problem.status >= 500 || error.problem.status === 429)
  );
}

/** The problem in a body, or a plain one when the body is none (a proxy's page, an empty answer). */
export function readProblem(body: unknown, response: Response): Problem {
  if (isProblem(body)) return body;
  return {
    type: "about:blank",
    title: "",
    status: response.status,
    detail: "",
    instance: "",
    code: "unreadable_answer",
    facts: {},
    errors: [],
    trace_id: null,
    request_id: response.headers.get("X-Request-Id") ?? "",
    resource: null,
    operation_id: null,
  };
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "title" in body;
}
