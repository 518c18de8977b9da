import type { ReactNode } from "react";
import classes from "./Facts.module.css";

export interface Fact {
  label: string;
  value: ReactNode;
  note?: ReactNode;
}

interface FactsProps {
  facts: readonly Fact[];
  /** `rows`: label beside value; `figures`: large values side by side. */
  look?: "rows" | "figures";
}

/** Labels with their values; a list that screen readers read in pairs. */
export function Facts({ facts, look = "rows" }: FactsProps) {
  return (
    <dl className={classes.facts} data-look={look}>
      {facts.map((fact) => (
        <div key={fact.label} className={classes.fact}>
          <dt className={classes.label}>{fact.label}</dt>
          <dd className={classes.value}>
            {fact.value}
            {fact.note ? <span className={classes.note}>{fact.note}</span> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}
