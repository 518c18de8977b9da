import { useTranslation } from "react-i18next";
import type { Security } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment } from "@/shared/format";
import { Line, Lines } from "@/shared/Lines";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { AddPasskey } from "@/shared/proof/AddPasskey";
import { Section } from "@/shared/Section";
import { Small } from "@/shared/Small";
import { Stack } from "@/shared/Stack";
import { useRemovePasskey } from "./queries";

interface PasskeySectionProps {
  security: Security;
  onAdded: () => void;
}

export function PasskeySection({ security, onAdded }: PasskeySectionProps) {
  const { t } = useTranslation();
  const remove = useRemovePasskey();
  return (
    <Section title={t("security.passkeys")} note={t("security.passkeysNote")}>
      <Stack gap="large">
        {remove.isError ? <ProblemNotice error={remove.error} /> : null}
        {security.passkeys.length === 0 ? (
          <EmptyNote title={t("security.passkeysEmpty")} />
        ) : (
          <Lines>
            {security.passkeys.map((passkey) => (
              <Line key={passkey.id}>
                <div>
                  <p>{passkey.name}</p>
                  <Small>
                    {passkey.last_used_at === null
                      ? t("security.added", { moment: formatMoment(passkey.created_at) })
                      : t("security.lastUsed", { moment: formatMoment(passkey.last_used_at) })}
                  </Small>
                </div>
                <ConfirmAct
                  label={t("security.removeNamed", { name: passkey.name })}
                  question={t("security.removePasskeyQuestion")}
                  confirmLabel={t("security.remove")}
                  tone="ending"
                  busy={remove.isPending && remove.variables === passkey.id}
                  onConfirm={() => remove.mutate(passkey.id)}
                />
              </Line>
            ))}
          </Lines>
        )}
        <AddPasskey onDone={onAdded} />
      </Stack>
    </Section>
  );
}
