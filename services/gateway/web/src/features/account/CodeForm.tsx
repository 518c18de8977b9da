import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import { Form } from "@/shared/Form";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { CodeLine } from "@/shared/proof/CodeLine";
import { Stack } from "@/shared/Stack";
import { type ChosenKind, KindFields, kindBody } from "./KindFields";
import { useAskCode, useGiveCode } from "./queries";

interface CodeFormProps {
  /** An invitation's token, for signing up. */
  token?: string;
  /** Whether it makes a participant's account, whose kind is chosen here. */
  choosesKind?: boolean;
  onDone: (session: { account: Account; campaign_id: string | null }) => void;
}

/** An address, then the code from the mail. */
export function CodeForm({ token, choosesKind = false, onDone }: CodeFormProps) {
  const { t } = useTranslation();
  const [email, setEmail] = useState("");
  const [missing, setMissing] = useState(false);
  const [chosen, setChosen] = useState<ChosenKind>({ kind: "person", name: "" });
  const [nameless, setNameless] = useState(false);
  const ask = useAskCode(token);
  const give = useGiveCode();

  function sendAddress(event: FormEvent) {
    event.preventDefault();
    const kind = kindBody(chosen);
    setMissing(email.trim() === "");
    setNameless(kind === null);
    if (email.trim() !== "" && kind !== null) ask.mutate({ email: email.trim(), kind });
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
        {choosesKind ? (
          <KindFields chosen={chosen} missing={nameless} onChange={setChosen} />
        ) : null}
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
