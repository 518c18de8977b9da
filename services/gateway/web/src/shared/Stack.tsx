import type { ReactNode } from "react";
import classes from "./Stack.module.css";

interface StackProps {
  gap?: "small" | "large";
  direction?: "column" | "row";
  children: ReactNode;
}

/** Things below each other, or beside each other while there is room. */
export function Stack({ gap = "small", direction = "column", children }: StackProps) {
  return (
    <div className={classes.stack} data-gap={gap} data-direction={direction}>
      {children}
    </div>
  );
}
