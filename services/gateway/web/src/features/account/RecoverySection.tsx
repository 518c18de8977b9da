import { Button, CopyButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Security } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import classes from "./Account.module.css";
import { useNewRecoveryCodes } from "./queries";

/** Codes for the day when every device is lost: shown once, here. */
export function RecoverySection({ security }: { security: Security }) {
  const { t } = useTranslation();
  const renew = useNewRecoveryCodes();
  const left = security.recovery_codes_left;
  return (
    <Section title={t("security.recovery")} note={t("security.recoveryNote")}>
      <Stack gap="large">
        {renew.isError ? <ProblemNotice error={renew.error} /> : null}
        {renew.data === undefined ? (
          <p>{t("security.recoveryLeft", { count: left })}</p>
        ) : (
          <Codes codes={renew.data.codes} />
        )}
        {left === 0 ? (
          <div>
            <Button
              variant="default"
              loading={renew.isPending}
              onClick={() => renew.mutate(undefined)}
            >
              {t("security.recoveryMake")}
            </Button>
          </div>
        ) : (
          <ConfirmAct
            label={t("security.recoveryRenew")}
            question={t("security.recoveryRenewQuestion")}
            tone="ending"
            busy={renew.isPending}
            onConfirm={() => renew.mutate(undefined)}
          />
        )}
      </Stack>
    </Section>
  );
}

function Codes({ codes }: { codes: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <Notice role="status" title={t("security.recoveryOnce")}>
      <ul className={classes.codes} aria-label={t("security.recovery")}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <CopyButton value={codes.join("\n")}>
        {({ copied, copy }) => (
          <div>
            <Button variant="default" size="xs" onClick={copy}>
              {copied ? t("common.copied") : t("common.copy")}
            </Button>
          </div>
        )}
      </CopyButton>
    </Notice>
  );
}
