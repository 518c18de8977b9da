import classes from "./StateWord.module.css";

/** The state in the words of the server, with a mark whose shape does not depend on colour. */
export function StateWord({ words, tone }: { words: string; tone: StateTone }) {
  return (
    <span className={classes.word} data-tone={tone}>
      {words}
    </span>
  );
}

export type StateTone = "open" | "good" | "waiting" | "ended";

const TONES: Readonly<Record<string, StateTone>> = {
  ACTIVE: "open",
  TARGET_ACHIEVED: "good",
  PENDING_ACCEPTANCE: "waiting",
  FULFILLMENT: "open",
  INSPECTION: "open",
  COMPLETED: "good",
  CLOSED: "ended",
  LOCKED: "good",
  RELEASED: "good",
  PENDING_FUNDS: "waiting",
  FUNDS_FAILED: "ended",
  WITHDRAWN: "ended",
  REFUNDED: "ended",
  REFUSED: "ended",
  accepted: "good",
  open: "open",
  declined: "ended",
  timed_out: "ended",
  withdrawn: "ended",
  APPROVED: "open",
  SENDING: "open",
  STOPPED: "ended",
};

export function toneOf(state: string): StateTone {
  return TONES[state] ?? "waiting";
}
