import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import { Loaded } from "@/shared/Loaded";
import { Page } from "@/shared/Page";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useConfig } from "@/shared/session";
import { CodeForm } from "./CodeForm";
import { DemoLogins } from "./DemoLogins";
import { ownAddress } from "./next";
import { PasskeySignIn } from "./PasskeySignIn";

/** A passkey first, a code from a mail beside it; on a local stack the demo accounts too. */
export function SignInPage() {
  const { t } = useTranslation();
  const config = useConfig();
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/sign-in" });

  function go() {
    void navigate({ href: ownAddress(next) });
  }

  /** A mail alone is enough for a participant; everybody else confirms with a second factor. */
  function goOrConfirm({ account }: { account: Account }) {
    if (account.role === "participant") go();
    else void navigate({ to: "/security", search: { next: ownAddress(next) } });
  }

  return (
    <Page title={t("signIn.title")} lead={t("signIn.lead")} width="narrow">
      <Stack gap="large">
        <Section title={t("signIn.passkey")} note={t("signIn.passkeyNote")}>
          <PasskeySignIn onDone={go} />
        </Section>
        <Section title={t("signIn.mail")} note={t("signIn.mailNote")}>
          <CodeForm onDone={goOrConfirm} />
        </Section>
        <Loaded query={config} blocks={2}>
          {({ demo_logins: logins }) =>
            logins.length === 0 ? null : <DemoLogins logins={logins} onDone={go} />
          }
        </Loaded>
      </Stack>
    </Page>
  );
}
