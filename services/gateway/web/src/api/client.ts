import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "@/api/generated/schema";
import { ConnectionLost, RefusedByServer, readProblem } from "@/api/problem";

const WRITING_METHODS = new Set(["POST", "PUT", "PATCH", "DELETE"]);

let csrfToken: string | null = null;

/** Keep the token that proves where a write came from; it lives in memory only. */
export function rememberCsrfToken(token: string | null): void {
  csrfToken = token;
}

const proofOfOrigin: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== null && WRITING_METHODS.has(request.method)) {
      request.headers.set("X-Alpmera-CSRF", csrfToken);
    }
    return request;
  },
  onError() {
    return new ConnectionLost();
  },
};

/** The generated client: the only way to the interface, besides the stream of progress. */
export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  credentials: "same-origin",
  // Looked up at each call, so that a test's replacement is seen.
  fetch: (request) => globalThis.fetch(request),
});
api.use(proofOfOrigin);

/** What the generated client answers. */
export interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body. Throws RefusedByServer when it is a problem, ConnectionLost when none came. */
export async function read<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) {
    throw new RefusedByServer(readProblem(error, response), retryAfterSeconds(response));
  }
  return data as T;
}

function retryAfterSeconds(response: Response): number | null {
  const seconds = Number(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
