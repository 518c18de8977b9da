import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import { Form } from "@/shared/Form";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { CodeLine } from "@/shared/proof/CodeLine";
import { Stack } from "@/shared/Stack";
import { useAskCode, useGiveCode } from "./queries";

interface CodeFormProps {
  /** An invitation's token, for signing up. */
  token?: string;
  onDone: (session: { account: Account; campaign_id: string | null }) => void;
}

/** An address, then the code from the mail. */
export function CodeForm({ token, onDone }: CodeFormProps) {
  const { t } = useTranslation();
  const [email, setEmail] = useState("");
  const [missing, setMissing] = useState(false);
  const ask = useAskCode(token);
  const give = useGiveCode();

  function sendAddress(event: FormEvent) {
    event.preventDefault();
    setMissing(email.trim() === "");
    if (email.trim() !== "") ask.mutate(email.trim());
  }

  if (ask.data === undefined) {
    return (
      <Form onSubmit={sendAddress}>
        {ask.isError ? <ProblemNotice error={ask.error} /> : null}
        <TextInput
          type="email"
          autoComplete="email"
          label={t("signIn.email")}
          error={missing ? t("signIn.emailNeeded") : undefined}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Button
          type="submit"
          variant={token === undefined ? "default" : "filled"}
          loading={ask.isPending}
        >
          {t("signIn.sendCode")}
        </Button>
      </Form>
    );
  }
  const { challenge, expires_in_seconds } = ask.data;
  return (
    <Stack>
      <Notice role="status">
        <p>{t("signIn.codeSent", { minutes: Math.round(expires_in_seconds / 60) })}</p>
      </Notice>
      <CodeLine
        label={t("signIn.code")}
        submit={t(token === undefined ? "signIn.giveCode" : "signUp.giveCode")}
        error={give.error}
        busy={give.isPending}
        digits
        onCode={(code) => give.mutate({ challenge, code }, { onSuccess: onDone })}
      />
      <div>
        <Button
          variant="subtle"
          onClick={() => {
            give.reset();
            ask.reset();
          }}
        >
          {t("signIn.otherAddress")}
        </Button>
      </div>
    </Stack>
  );
}
