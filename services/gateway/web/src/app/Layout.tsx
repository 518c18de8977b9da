import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Header } from "@/app/Header";
import classes from "@/app/Layout.module.css";
import { ProofHead } from "@/app/ProofHead";
import { TestMoneyBanner } from "@/app/TestMoneyBanner";
import { StepUpDialog } from "@/shared/proof/StepUpDialog";
import { RailLine } from "@/shared/RailWords";

/** The frame around every page. A new page takes the focus, as a page that was loaded would. */
export function Layout() {
  const { t } = useTranslation();
  const path = useLocation({ select: (location) => location.pathname });
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <div className={classes.frame}>
      <a className={classes.skip} href="#content">
        {t("site.skip")}
      </a>
      <TestMoneyBanner />
      <Header />
      <main id="content" ref={main} tabIndex={-1} className={classes.main}>
        <Outlet />
      </main>
      <StepUpDialog />
      <footer className={classes.footer}>
        <p>
          {t("site.footer")} <RailLine />
        </p>
        <p>
          <Link to="/escrow">{t("nav.escrow")}</Link> ·{" "}
          <a href="/reference">{t("site.reference")}</a>
        </p>
        <ProofHead />
      </footer>
    </div>
  );
}
