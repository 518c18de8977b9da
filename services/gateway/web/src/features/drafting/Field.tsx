import { Textarea, TextInput, type TextInputProps } from "@mantine/core";
import type { HTMLInputTypeAttribute } from "react";
import { type FieldError, get, useFormContext } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { DraftPath, DraftValues } from "./draft";
import { labelOf } from "./labels";

type InputWrapperOrder = NonNullable<TextInputProps["inputWrapperOrder"]>;

interface FieldProps {
  path: DraftPath;
  note?: string;
  /** For sentences: grows with them. */
  long?: boolean;
  type?: HTMLInputTypeAttribute;
  inputMode?: "numeric" | "decimal";
}

/** One field of a draft, with its name, what it is for, and what is wrong with it. */
export function Field({ path, note, long = false, type, inputMode }: FieldProps) {
  const { t } = useTranslation();
  const { register, formState } = useFormContext<DraftValues>();
  const shared = {
    label: t(labelOf(path)),
    description: note,
    error: (get(formState.errors, path) as FieldError | undefined)?.message,
    // What a field is for stands below it, so that fields beside each other stand at one height.
    inputWrapperOrder: ["label", "input", "description", "error"] as InputWrapperOrder,
    autoComplete: "off",
    ...register(path),
  };
  if (long) return <Textarea autosize minRows={2} {...shared} />;
  return (
    <TextInput
      type={type ?? "text"}
      {...(inputMode === undefined ? {} : { inputMode })}
      // Moments are kept to the second, and the field for them would drop it.
      {...(type === "datetime-local" ? { step: 1 } : {})}
      {...shared}
    />
  );
}
