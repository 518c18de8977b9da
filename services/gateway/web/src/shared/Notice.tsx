import type { ReactNode } from "react";
import classes from "./Notice.module.css";

interface NoticeProps {
  title?: string;
  tone?: "info" | "trouble";
  /** `alert` is read out at once, `status` when the reader pauses. */
  role?: "alert" | "status" | "note";
  children?: ReactNode;
}

/** A boxed message with a line at its side. */
export function Notice({ title, tone = "info", role = "note", children }: NoticeProps) {
  return (
    <div className={classes.notice} data-tone={tone} role={role}>
      {title ? <p className={classes.title}>{title}</p> : null}
      {children}
    </div>
  );
}
