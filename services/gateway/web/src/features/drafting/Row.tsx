import type { ReactNode } from "react";
import classes from "./Drafting.module.css";

/** Short fields beside each other while there is room. */
export function Row({ children }: { children: ReactNode }) {
  return <div className={classes.row}>{children}</div>;
}
