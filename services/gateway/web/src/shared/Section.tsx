import { Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "./Section.module.css";

interface SectionProps {
  title: string;
  note?: ReactNode;
  aside?: ReactNode;
  tone?: "plain" | "trust" | "caution";
  children: ReactNode;
}

/** A titled part of a page. */
export function Section({ title, note, aside, tone = "plain", children }: SectionProps) {
  const id = useId();
  return (
    <section className={classes.section} data-tone={tone} aria-labelledby={id}>
      <div className={classes.head}>
        <Title order={2} id={id}>
          {title}
        </Title>
        {aside}
      </div>
      {note ? <p className={classes.note}>{note}</p> : null}
      {children}
    </section>
  );
}
