import type { ReactNode } from "react";
import classes from "./Lines.module.css";

interface LinesProps {
  /** Says what the list is of, where no heading right above it does. */
  label?: string | undefined;
  /** For pages with more beside each other: the first part of a line gives way earlier. */
  narrow?: boolean;
  children: ReactNode;
}

/** Things in a list, each on a line of its own: what it is first, then its state or what can be done. */
export function Lines({ label, narrow = false, children }: LinesProps) {
  return (
    <ul className={classes.lines} data-narrow={narrow} aria-label={label}>
      {children}
    </ul>
  );
}

export function Line({ children }: { children: ReactNode }) {
  return <li className={classes.line}>{children}</li>;
}
