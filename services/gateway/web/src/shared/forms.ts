import type { FieldPath, FieldValues, UseFormSetError } from "react-hook-form";
import { RefusedByServer } from "@/api/problem";

/** Put what the server says about a field beside that field of the form; a.b of the form is /a/b of the body. */
export function showFieldErrors<Values extends FieldValues>(
  error: unknown,
  fields: readonly FieldPath<Values>[],
  setError: UseFormSetError<Values>,
): void {
  if (!(error instanceof RefusedByServer)) return;
  for (const { pointer, message } of error.problem.errors) {
    const field = fields.find((name) => `${pointer}/`.startsWith(`/${name.replaceAll(".", "/")}/`));
    if (field !== undefined) setError(field, { type: "server", message });
  }
}
