import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Account, Case } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment } from "@/shared/format";
import { Line, Lines } from "@/shared/Lines";
import { Small } from "@/shared/Small";
import { CaseResolution } from "./CaseResolution";
import classes from "./Staff.module.css";

interface CaseListProps {
  cases: readonly Case[];
  empty: string;
  /** Who looks: an escrow auditor can close what nothing closes by itself. */
  viewer: Account["role"];
}

/** Cases: what it is about, how grave it is, whether money waits for it. */
export function CaseList({ cases, empty, viewer }: CaseListProps) {
  if (cases.length === 0) return <EmptyNote title={empty} />;
  return (
    <Lines narrow>
      {cases.map((one) => (
        <Line key={one.id}>
          <CaseBlock one={one} viewer={viewer} />
        </Line>
      ))}
    </Lines>
  );
}

function CaseBlock({ one, viewer }: { one: Case; viewer: Account["role"] }) {
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
        {one.blocking ? (
          <span className={classes.blocking}>{t("case.blocking")}</span>
        ) : (
          <Small inline>{t("case.notBlocking")}</Small>
        )}
      </div>
      <Small inline>
        {t("case.service")}: {one.service} · {t("case.about")}: {one.subject_id}
        {one.opened_at === null ? null : ` · ${t("case.opened")}: ${formatMoment(one.opened_at)}`}
      </Small>
      {facts.length > 0 ? (
        <ul className={classes.facts}>
          {facts.map(([name, value]) => (
            <li key={name}>
              {words(name)}: {typeof value === "string" ? value : JSON.stringify(value)}
            </li>
          ))}
        </ul>
      ) : null}
      {one.asked_by === null ? null : (
        <p>
          {t("case.asked", { words: one.asked_words, evidence: one.asked_evidence.join(", ") })}
        </p>
      )}
      {viewer === "escrow_auditor" && one.state === "open" && one.people_needed > 0 ? (
        <CaseResolution one={one} />
      ) : null}
    </div>
  );
}

/** A name in code as words: `transfer_refused` → Transfer refused. */
function words(name: string): string {
  const text = name.replaceAll(/[._]/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
