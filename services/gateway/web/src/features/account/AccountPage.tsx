import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Facts } from "@/shared/Facts";
import { ButtonLink, TextLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useSignOut } from "@/shared/session";
import { INVITES } from "./inviting";

/** Who is signed in, in which role. */
export function AccountPage() {
  const { t } = useTranslation();
  const signOut = useSignOut();
  const navigate = useNavigate();
  return (
    <RequireRole needs="any">
      {(account) => {
        const facts = [
          { label: t("account.name"), value: account.label ?? t("account.unnamed") },
          { label: t("account.role"), value: t(`role.${account.role}`) },
          { label: t("account.id"), value: account.subject_id },
        ];
        if (account.supplier_id !== null) {
          facts.push({ label: t("account.supplierId"), value: account.supplier_id });
        }
        return (
          <Page title={t("account.title")} width="narrow">
            <Section title={account.label ?? t("account.unnamed")}>
              <Stack>
                <Facts facts={facts} />
                <Stack direction="row">
                  <ButtonLink to="/security" variant="default">
                    {t("security.title")}
                  </ButtonLink>
                  {INVITES[account.role] === undefined ? null : (
                    <ButtonLink to="/invite" variant="default">
                      {t("invite.title")}
                    </ButtonLink>
                  )}
                </Stack>
                {signOut.isError ? <ProblemNotice error={signOut.error} /> : null}
                <p>
                  <TextLink to="/account/data">{t("myData.title")}</TextLink>
                </p>
                {account.role !== "supplier" ? (
                  <p>
                    <TextLink to="/account/kit">{t("kit.title")}</TextLink>
                  </p>
                ) : null}
                <p>{t("account.signOutNote")}</p>
                <div>
                  <Button
                    variant="default"
                    loading={signOut.isPending}
                    onClick={() =>
                      signOut.mutate(undefined, { onSuccess: () => void navigate({ to: "/" }) })
                    }
                  >
                    {t("nav.signOut")}
                  </Button>
                </div>
              </Stack>
            </Section>
          </Page>
        );
      }}
    </RequireRole>
  );
}
