import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Security } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { Facts } from "@/shared/Facts";
import { Hash } from "@/shared/Hash";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { CodeLine } from "@/shared/proof/CodeLine";
import { QrPicture } from "@/shared/QrPicture";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useBeginAuthenticator, useConfirmAuthenticator, useRemoveAuthenticator } from "./queries";

interface AuthenticatorSectionProps {
  security: Security;
  onAdded: () => void;
}

export function AuthenticatorSection({ security, onAdded }: AuthenticatorSectionProps) {
  const { t } = useTranslation();
  return (
    <Section title={t("security.authenticator")} note={t("security.authenticatorNote")}>
      {security.authenticator ? <SetUp /> : <Begin onAdded={onAdded} />}
    </Section>
  );
}

function SetUp() {
  const { t } = useTranslation();
  const remove = useRemoveAuthenticator();
  return (
    <Stack>
      {remove.isError ? <ProblemNotice error={remove.error} /> : null}
      <p>{t("security.authenticatorOn")}</p>
      <ConfirmAct
        label={t("security.authenticatorRemove")}
        question={t("security.authenticatorRemoveQuestion")}
        tone="ending"
        busy={remove.isPending}
        onConfirm={() => remove.mutate(undefined)}
      />
    </Stack>
  );
}

/** The secret is shown here and nowhere else; it counts after the first code of it. */
function Begin({ onAdded }: { onAdded: () => void }) {
  const { t } = useTranslation();
  const begin = useBeginAuthenticator();
  const confirm = useConfirmAuthenticator();
  if (begin.data === undefined) {
    return (
      <Stack>
        {begin.isError ? <ProblemNotice error={begin.error} /> : null}
        <div>
          <Button
            variant="default"
            loading={begin.isPending}
            onClick={() => begin.mutate(undefined)}
          >
            {t("security.authenticatorBegin")}
          </Button>
        </div>
      </Stack>
    );
  }
  const { secret, uri } = begin.data;
  return (
    <Stack gap="large">
      <p>{t("security.secretText")}</p>
      <QrPicture value={uri} label={t("security.secretPicture")} />
      <Facts facts={[{ label: t("security.secret"), value: <Hash value={secret} /> }]} />
      <p>
        <a href={uri}>{t("security.secretHere")}</a>
      </p>
      <CodeLine
        label={t("proof.authenticatorCode")}
        submit={t("security.authenticatorConfirm")}
        error={confirm.error}
        busy={confirm.isPending}
        digits
        onCode={(code) =>
          confirm.mutate(code, {
            onSuccess: () => {
              begin.reset();
              onAdded();
            },
          })
        }
      />
    </Stack>
  );
}
