import { Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Page.module.css";

interface PageProps {
  title: string;
  eyebrow?: ReactNode;
  lead?: ReactNode;
  width?: "wide" | "narrow";
  children: ReactNode;
}

/** The frame of every page: its title (also the browser's), a lead and its parts. */
export function Page({ title, eyebrow, lead, width = "wide", children }: PageProps) {
  const { t } = useTranslation();
  const site = t("site.name");
  useEffect(() => {
    document.title = title === site ? site : `${title} · ${site}`;
  }, [title, site]);
  return (
    <div className={classes.page} data-width={width}>
      <header className={classes.head}>
        {eyebrow}
        <Title order={1}>{title}</Title>
        {lead ? <p className={classes.lead}>{lead}</p> : null}
      </header>
      {children}
    </div>
  );
}
