import type { ReactNode } from "react";
import classes from "./EmptyNote.module.css";

interface EmptyNoteProps {
  title: string;
  text?: string;
  children?: ReactNode;
}

/** What stands where a list has no lines, and when lines appear. */
export function EmptyNote({ title, text, children }: EmptyNoteProps) {
  return (
    <div className={classes.empty}>
      <p className={classes.title}>{title}</p>
      {text ? <p>{text}</p> : null}
      {children}
    </div>
  );
}
