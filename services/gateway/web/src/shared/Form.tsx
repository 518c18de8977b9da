import type { FormEvent, ReactNode } from "react";
import classes from "./Form.module.css";

interface FieldsProps {
  /** `wide`: for sentences rather than single words. */
  width?: "narrow" | "wide";
  children: ReactNode;
}

interface FormProps extends FieldsProps {
  onSubmit: (event: FormEvent) => void;
}

/** Fields below each other, none wider than what belongs into it. What is wrong is told beside them, never by the browser. */
export function Form({ width = "narrow", onSubmit, children }: FormProps) {
  return (
    <form className={classes.form} data-width={width} onSubmit={onSubmit} noValidate>
      {children}
    </form>
  );
}

/** The same for fields whose act asks once more before it is done. */
export function Fields({ width = "narrow", children }: FieldsProps) {
  return (
    <div className={classes.form} data-width={width}>
      {children}
    </div>
  );
}
