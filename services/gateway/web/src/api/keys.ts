/**
 * What this tab's session keeps: idempotency keys of acts under way, and long forms as they are typed.
 *
 * An act keeps its key until something definite is known about it. Another body for the same act
 * is another act and gets another key. What is typed outlives a reload and a session that ended by
 * itself; whoever signs out leaves none of it.
 */

const PREFIX = "alpmera.act.";
const WORDS = "alpmera.words.";

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
  forgetAll(PREFIX);
}

/** Keep what is typed into a form; its name says whose it is. */
export function keepWords(name: string, words: unknown): void {
  sessionStorage.setItem(WORDS + name, JSON.stringify(words));
}

/** What was typed under a name, or null. */
export function keptWords(name: string): unknown {
  return readJson(WORDS + name);
}

/** What was typed has been sent, or was given up. */
export function forgetWords(name: string): void {
  sessionStorage.removeItem(WORDS + name);
}

/** Whoever typed has signed out. */
export function forgetAllWords(): void {
  forgetAll(WORDS);
}

function forgetAll(prefix: string): void {
  for (const name of Object.keys(sessionStorage)) {
    if (name.startsWith(prefix)) sessionStorage.removeItem(name);
  }
}

function readKept(act: string): KeptAct | null {
  return readJson(PREFIX + act) as KeptAct | null;
}

function readJson(name: string): unknown {
  const text = sessionStorage.getItem(name);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
