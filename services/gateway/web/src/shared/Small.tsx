import type { ReactNode } from "react";
import classes from "./Small.module.css";

interface SmallProps {
  /** Inside a line of text; otherwise a paragraph of its own. */
  inline?: boolean;
  children: ReactNode;
}

/** What is read second: facts below a name. */
export function Small({ inline = false, children }: SmallProps) {
  const Tag = inline ? "span" : "p";
  return <Tag className={classes.small}>{children}</Tag>;
}
