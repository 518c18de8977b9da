import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import classes from "@/app/Layout.module.css";
import { isStaff, useSession, useSignOut } from "@/shared/session";
import mark from "@/theme/mark.svg";

const MARK_SIZE = 30;

export function Header() {
  const { t } = useTranslation();
  const { data: account } = useSession();
  return (
    <header className={classes.header}>
      <div className={classes.bar}>
        <Link to="/" className={classes.brand} aria-label={t("site.home")}>
          <img src={mark} width={MARK_SIZE} height={MARK_SIZE} alt="" />
          {t("site.name")}
        </Link>
        <nav className={classes.nav} aria-label={t("site.navigation")}>
          <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>
            {t("nav.campaigns")}
          </Link>
          <Link to="/escrow">{t("nav.escrow")}</Link>
          {account?.role === "participant" ? (
            <Link to="/commitments">{t("nav.commitments")}</Link>
          ) : null}
          {account?.role === "supplier" ? <Link to="/supplier">{t("nav.invitations")}</Link> : null}
          {isStaff(account) ? <Link to="/staff">{t("nav.staff")}</Link> : null}
        </nav>
        <div className={classes.person}>
          {account ? <Person account={account} /> : null}
          {account === null ? <Link to="/sign-in">{t("nav.signIn")}</Link> : null}
        </div>
      </div>
    </header>
  );
}

function Person({ account }: { account: Account }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const signOut = useSignOut();
  return (
    <>
      <Link to="/account">
        <span className={classes.who}>{account.label ?? t("account.unnamed")}</span>{" "}
        <span className={classes.role}>{t(`role.${account.role}`)}</span>
      </Link>
      <Button
        variant="default"
        size="xs"
        loading={signOut.isPending}
        onClick={() => signOut.mutate(undefined, { onSuccess: () => void navigate({ to: "/" }) })}
      >
        {t("nav.signOut")}
      </Button>
    </>
  );
}
