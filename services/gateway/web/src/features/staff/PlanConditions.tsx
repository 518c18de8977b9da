import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Plan } from "@/api/types";
import { Small } from "@/shared/Small";
import classes from "./Staff.module.css";

/** Every release condition with its verdict and how many records show it. */
export function PlanConditions({ plan }: { plan: Plan }) {
  const { t, i18n } = useTranslation();

  function wordsOf(name: string): string {
    const key = `plan.condition.${name}`;
    return i18n.exists(key)
      ? t(key as "plan.condition.supplier_accepted")
      : name.replaceAll("_", " ");
  }

  return (
    <div>
      <Title order={4} mb="xs">
        {t("plan.conditions")}
      </Title>
      <ul className={classes.conditions}>
        {plan.conditions.map(({ name, met, evidence }) => (
          <li key={name} className={classes.condition} data-met={met}>
            <span className={classes.verdict}>{met ? t("plan.met") : t("plan.unmet")}</span>
            <span>
              {wordsOf(name)}
              {evidence.length > 0 ? (
                <Small inline> ({t("plan.evidence", { count: evidence.length })})</Small>
              ) : null}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
