import { Button, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { ClientConfig } from "@/api/types";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useSignIn } from "@/shared/session";
import classes from "./SignInPage.module.css";

type DemoLogin = ClientConfig["demo_logins"][number];

const GROUPS = ["participant", "supplier", "staff"] as const;

interface DemoLoginsProps {
  logins: readonly DemoLogin[];
  onDone: () => void;
}

/** Local sign-in: one button per demo account. */
export function DemoLogins({ logins, onDone }: DemoLoginsProps) {
  const { t } = useTranslation();
  const signIn = useSignIn();
  return (
    <Section title={t("signIn.demo")} note={t("signIn.demoNote")}>
      <Stack gap="large">
        {signIn.isError ? <ProblemNotice error={signIn.error} /> : null}
        {GROUPS.map((group) => {
          const members = logins.filter((login) => groupOf(login) === group);
          if (members.length === 0) return null;
          return (
            <div key={group}>
              <Title order={3} mb="xs">
                {t(`signIn.groups.${group}`)}
              </Title>
              <ul className={classes.logins}>
                {members.map(({ email, words }) => (
                  <li key={email} className={classes.login}>
                    <Button
                      variant="default"
                      disabled={signIn.isPending}
                      loading={signIn.isPending && signIn.variables === email}
                      onClick={() => signIn.mutate(email, { onSuccess: onDone })}
                    >
                      {t("signIn.as", { name: email.split("@")[0] ?? email })}
                    </Button>
                    <span className={classes.words}>{words}</span>
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
      </Stack>
    </Section>
  );
}

function groupOf({ role }: DemoLogin): (typeof GROUPS)[number] {
  return role === "participant" || role === "supplier" ? role : "staff";
}
