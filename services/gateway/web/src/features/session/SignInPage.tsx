import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ClientConfig } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { Loaded } from "@/shared/Loaded";
import { Page } from "@/shared/Page";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useConfig, useSignIn } from "@/shared/session";
import classes from "./SignInPage.module.css";

type DemoLogin = ClientConfig["demo_logins"][number];

const GROUPS = ["participant", "supplier", "staff"] as const;

/** Local sign-in: one button per demo account. */
export function SignInPage() {
  const { t } = useTranslation();
  const config = useConfig();
  const signIn = useSignIn();
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/sign-in" });

  function choose(email: string) {
    signIn.mutate(email, { onSuccess: () => void navigate({ href: ownAddress(next) }) });
  }

  return (
    <Page title={t("signIn.title")} lead={t("signIn.lead")} width="narrow">
      <Stack gap="large">
        {signIn.isError ? <ProblemNotice error={signIn.error} /> : null}
        <Loaded query={config} blocks={2}>
          {({ demo_logins: logins }) =>
            logins.length === 0 ? (
              <EmptyNote title={t("signIn.noDemo")} />
            ) : (
              <Groups
                logins={logins}
                busyWith={signIn.variables}
                onChoose={choose}
                busy={signIn.isPending}
              />
            )
          }
        </Loaded>
      </Stack>
    </Page>
  );
}

interface GroupsProps {
  logins: readonly DemoLogin[];
  busy: boolean;
  busyWith: string | undefined;
  onChoose: (email: string) => void;
}

function Groups({ logins, busy, busyWith, onChoose }: GroupsProps) {
  const { t } = useTranslation();
  return GROUPS.map((group) => {
    const members = logins.filter((login) => groupOf(login) === group);
    if (members.length === 0) return null;
    return (
      <Section key={group} title={t(`signIn.groups.${group}`)}>
        <ul className={classes.logins}>
          {members.map(({ email, words }) => (
            <li key={email} className={classes.login}>
              <Button
                variant="default"
                disabled={busy}
                loading={busy && busyWith === email}
                onClick={() => onChoose(email)}
              >
                {t("signIn.as", { name: email.split("@")[0] ?? email })}
              </Button>
              <span className={classes.words}>{words}</span>
            </li>
          ))}
        </ul>
      </Section>
    );
  });
}

function groupOf({ role }: DemoLogin): (typeof GROUPS)[number] {
  return role === "participant" || role === "supplier" ? role : "staff";
}

/** Where to go after signing in: a page of this site, whatever the address says. */
function ownAddress(next: string | undefined): string {
  if (next === undefined) return "/";
  const address = new URL(next, window.location.origin);
  if (address.origin !== window.location.origin) return "/";
  return address.pathname + address.search;
}
