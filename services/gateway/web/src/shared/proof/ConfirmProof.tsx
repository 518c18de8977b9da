import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Security } from "@/api/types";
import { TextLink } from "@/shared/links";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { CodeLine } from "./CodeLine";
import { type CodeKind, useConfirmByCode, useConfirmByPasskey } from "./queries";
import { passkeysWork } from "./webauthn";

type ProvenBy = "passkey" | CodeKind;

interface ConfirmProofProps {
  security: Security;
  onDone: (by: ProvenBy) => void;
}

/** Confirm that it is you, in each of the ways that this account has; a passkey first. */
export function ConfirmProof({ security, onDone }: ConfirmProofProps) {
  const { t } = useTranslation();
  const [lost, setLost] = useState(false);
  const withPasskey = security.passkeys.length > 0 && passkeysWork();
  if (security.passkeys.length === 0 && !security.authenticator) {
    return (
      <Stack>
        <p>{t("proof.none")}</p>
        <p>
          <TextLink to="/security">{t("security.title")}</TextLink>
        </p>
      </Stack>
    );
  }
  return (
    <Stack gap="large">
      {withPasskey ? <ByPasskey onDone={() => onDone("passkey")} /> : null}
      {security.authenticator ? <ByCode kind="authenticator" onDone={onDone} /> : null}
      {security.recovery_codes_left === 0 ? null : lost ? (
        <ByCode kind="recovery-code" onDone={onDone} />
      ) : (
        <div>
          <Button variant="subtle" onClick={() => setLost(true)}>
            {t("proof.lost")}
          </Button>
        </div>
      )}
    </Stack>
  );
}

function ByPasskey({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const confirm = useConfirmByPasskey();
  return (
    <Stack>
      {confirm.isError ? <ProblemNotice error={confirm.error} /> : null}
      <div>
        <Button
          loading={confirm.isPending}
          onClick={() => confirm.mutate(undefined, { onSuccess: onDone })}
        >
          {t("proof.byPasskey")}
        </Button>
      </div>
    </Stack>
  );
}

function ByCode({ kind, onDone }: { kind: CodeKind; onDone: (by: CodeKind) => void }) {
  const { t } = useTranslation();
  const confirm = useConfirmByCode(kind);
  const recovery = kind === "recovery-code";
  return (
    <CodeLine
      label={t(recovery ? "proof.recoveryCode" : "proof.authenticatorCode")}
      note={recovery ? t("proof.recoveryNote") : undefined}
      submit={t(recovery ? "proof.byRecoveryCode" : "proof.byAuthenticator")}
      error={confirm.error}
      busy={confirm.isPending}
      digits={!recovery}
      onCode={(code) => confirm.mutate(code, { onSuccess: () => onDone(kind) })}
    />
  );
}
