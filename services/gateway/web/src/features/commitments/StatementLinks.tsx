import { useTranslation } from "react-i18next";
import { Downloads } from "@/shared/Downloads";
import { Section } from "@/shared/Section";
import { useConfig } from "@/shared/session";

const YEARS_SHOWN = 3;

/** The yearly statements of the last years, by the stack's own date. */
export function StatementLinks() {
  const { t } = useTranslation();
  const { data } = useConfig();
  if (data === undefined) return null;
  const year = new Date(data.stack_time).getUTCFullYear();
  const years = Array.from({ length: YEARS_SHOWN }, (_, back) => year - back);
  return (
    <Section title={t("money.statements")} note={t("money.statementsNote")}>
      <Downloads
        files={years.flatMap((each) => [
          {
            label: t("money.statementPdf", { year: each }),
            href: `/v1/me/statement?year=${each}&format=pdf`,
          },
        ])}
      />
    </Section>
  );
}
