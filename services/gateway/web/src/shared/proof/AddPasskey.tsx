import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "@/shared/Form";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { useAddPasskey } from "./queries";
import { passkeysWork } from "./webauthn";

/** Make a passkey on this device, with a name that tells devices apart. */
export function AddPasskey({ onDone }: { onDone?: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const add = useAddPasskey();
  if (!passkeysWork()) return <p>{t("proof.noPasskeys")}</p>;

  function send(event: FormEvent) {
    event.preventDefault();
    add.mutate(name.trim() || t("proof.passkeyUnnamed"), {
      onSuccess: () => {
        setName("");
        onDone?.();
      },
    });
  }

  return (
    <Form onSubmit={send}>
      {add.isError ? <ProblemNotice error={add.error} /> : null}
      <TextInput
        label={t("proof.passkeyName")}
        description={t("proof.passkeyNameNote")}
        maxLength={60}
        autoComplete="off"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button type="submit" loading={add.isPending}>
        {t("proof.addPasskey")}
      </Button>
    </Form>
  );
}
