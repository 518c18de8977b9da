import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Case } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment } from "@/shared/format";
import classes from "./Staff.module.css";

interface CaseListProps {
  cases: readonly Case[];
  empty: string;
}

/** Cases: what it is about, how grave it is, whether money waits for it. */
export function CaseList({ cases, empty }: CaseListProps) {
  if (cases.length === 0) return <EmptyNote title={empty} />;
  return (
    <ul className={classes.lines}>
      {cases.map((one) => (
        <li key={one.id} className={classes.line}>
          <CaseBlock one={one} />
        </li>
      ))}
    </ul>
  );
}

function CaseBlock({ one }: { one: Case }) {
  const { t } = useTranslation();
  const facts = Object.entries(one.facts);
  return (
    <div className={classes.case}>
      <div className={classes.caseHead}>
        <Title order={3} size="h4">
          {words(one.kind)}
        </Title>
        <span>
          {t("case.severity")}: {words(one.severity)}
        </span>
        <span className={one.blocking ? classes.blocking : classes.small}>
          {one.blocking ? t("case.blocking") : t("case.notBlocking")}
        </span>
      </div>
      <span className={classes.small}>
        {t("case.service")}: {one.service} · {t("case.about")}: {one.subject_id}
        {one.opened_at === null ? null : ` · ${t("case.opened")}: ${formatMoment(one.opened_at)}`}
      </span>
      {facts.length > 0 ? (
        <ul className={classes.facts}>
          {facts.map(([name, value]) => (
            <li key={name}>
              {words(name)}: {typeof value === "string" ? value : JSON.stringify(value)}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

/** A name in code as words: `transfer_refused` → Transfer refused. */
function words(name: string): string {
  const text = name.replaceAll(/[._]/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
