import { useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import { Loaded } from "@/shared/Loaded";
import { ButtonLink } from "@/shared/links";
import { Notice } from "@/shared/Notice";
import { Page } from "@/shared/Page";
import { isStaff, useSession } from "@/shared/session";

interface RequireRoleProps {
  needs: "participant" | "supplier" | "staff" | "any";
  children: (account: Account) => ReactNode;
}

/** Shows a page to those whose role it is for; tells everybody else what to do. */
export function RequireRole({ needs, children }: RequireRoleProps) {
  const { t } = useTranslation();
  const session = useSession();
  return (
    <Loaded query={session} blocks={2}>
      {(account) => {
        if (account === null) return <SignInFirst />;
        if (fits(needs, account)) return children(account);
        const wanted = t(needs === "staff" ? "nav.staff" : `role.${needs as "supplier"}`);
        return (
          <Page title={t("problem.forbidden.title")} width="narrow">
            <Notice tone="trouble" role="alert">
              <p>
                {t("problem.forbidden.next", { role: wanted, mine: t(`role.${account.role}`) })}
              </p>
            </Notice>
          </Page>
        );
      }}
    </Loaded>
  );
}

function SignInFirst() {
  const { t } = useTranslation();
  const here = useLocation({ select: (location) => location.href });
  return (
    <Page title={t("nav.signIn")} lead={t("campaign.joinSignIn")} width="narrow">
      <ButtonLink to="/sign-in" search={{ next: here }}>
        {t("nav.signIn")}
      </ButtonLink>
    </Page>
  );
}

function fits(needs: RequireRoleProps["needs"], account: Account): boolean {
  if (needs === "any") return true;
  return needs === "staff" ? isStaff(account) : account.role === needs;
}
