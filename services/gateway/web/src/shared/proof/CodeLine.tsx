import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "@/shared/Form";
import { ProblemNotice } from "@/shared/ProblemNotice";

interface CodeLineProps {
  label: string;
  note?: string | undefined;
  submit: string;
  error: unknown;
  busy: boolean;
  /** Whether the code has digits alone, so that a phone shows them. */
  digits?: boolean;
  onCode: (code: string) => void;
}

/** One code, typed and sent. */
export function CodeLine(props: CodeLineProps) {
  const { t } = useTranslation();
  const [code, setCode] = useState("");
  const [missing, setMissing] = useState(false);

  function send(event: FormEvent) {
    event.preventDefault();
    setMissing(code.trim() === "");
    if (code.trim() !== "") props.onCode(code.trim());
  }

  return (
    <Form onSubmit={send}>
      {props.error ? <ProblemNotice error={props.error} /> : null}
      <TextInput
        label={props.label}
        description={props.note}
        error={missing ? t("proof.codeNeeded") : undefined}
        inputMode={props.digits ? "numeric" : "text"}
        autoComplete="one-time-code"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" loading={props.busy}>
        {props.submit}
      </Button>
    </Form>
  );
}
