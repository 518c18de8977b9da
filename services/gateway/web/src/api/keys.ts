/**
 * Idempotency keys of acts under way, kept in this tab's session.
 *
 * An act keeps its key until something definite is known about it. Another body for the same act
 * is another act and gets another key.
 */

const PREFIX = "alpmera.act.";

interface KeptAct {
  key: string;
  body: string;
}

/** The key for this act: the kept one when the same body was sent before, else a new one. */
export function rememberAct(act: string, body: unknown): string {
  const text = JSON.stringify(body);
  const kept = readKept(act);
  if (kept !== null && kept.body === text) return kept.key;
  const key = crypto.randomUUID();
  sessionStorage.setItem(PREFIX + act, JSON.stringify({ key, body: text } satisfies KeptAct));
  return key;
}

/** The body of an act that was sent and has no definite answer, or null. */
export function keptBody(act: string): unknown {
  const kept = readKept(act);
  return kept === null ? null : JSON.parse(kept.body);
}

/** Something definite is known: the next act of this name is a new one. */
export function forgetAct(act: string): void {
  sessionStorage.removeItem(PREFIX + act);
}

/** Nothing is known of any act any more: its person has left. */
export function forgetActs(): void {
  for (const name of Object.keys(sessionStorage)) {
    if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  }
}

function readKept(act: string): KeptAct | null {
  const text = sessionStorage.getItem(PREFIX + act);
  if (text === null) return null;
  try {
    return JSON.parse(text) as KeptAct;
  } catch {
    return null;
  }
}
