import type { ParseKeys } from "i18next";
import type { DraftPath } from "./draft";

/** The name of a field, the same in the form, beside a refusal and where two versions are compared. */
export function labelOf(path: DraftPath): ParseKeys {
  const name = path.replaceAll(/\.\d+/g, "").replaceAll(".", "_");
  return `problem.field.${name}` as ParseKeys;
}
