import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Steps.module.css";

export interface Step {
  id: string;
  title: ReactNode;
  state: "done" | "now" | "next" | "not";
  note?: ReactNode;
}

/** Steps in the sequence of time; each says in words whether it has happened. */
export function Steps({ steps }: { steps: readonly Step[] }) {
  const { t } = useTranslation();
  return (
    <ol className={classes.steps}>
      {steps.map((step) => (
        <li
          key={step.id}
          className={classes.step}
          data-state={step.state}
          aria-current={step.state === "now" ? "step" : undefined}
        >
          <span className={classes.title}>{step.title}</span>
          <span className={classes.state}>{t(`campaign.stepState.${step.state}`)}</span>
          {step.note ? <span className={classes.note}>{step.note}</span> : null}
        </li>
      ))}
    </ol>
  );
}
