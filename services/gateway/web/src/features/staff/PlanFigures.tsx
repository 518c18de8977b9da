import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Plan } from "@/api/types";
import { DataTable } from "@/shared/DataTable";
import { formatMoney } from "@/shared/format";
import { figuresOf } from "./figures";

/** Each account that the plan moves, before and after it, as escrow computed it when the plan was submitted. */
export function PlanFigures({ plan }: { plan: Plan }) {
  const { t, i18n } = useTranslation();

  function nameOf(account: string): string {
    const key = `plan.accountName.${account}`;
    return i18n.exists(key) ? t(key as "plan.accountName.escrow") : account.replaceAll("_", " ");
  }

  return (
    <div>
      <Title order={4} mb="xs">
        {t("plan.figures")}
      </Title>
      <DataTable
        caption={t("plan.figures")}
        rows={figuresOf(plan)}
        rowKey={(line) => line.account}
        columns={[
          { label: t("plan.account"), cell: (line) => nameOf(line.account) },
          { label: t("plan.before"), cell: (line) => formatMoney(line.before), numeric: true },
          { label: t("plan.movement"), cell: (line) => formatMoney(line.movement), numeric: true },
          { label: t("plan.after"), cell: (line) => formatMoney(line.after), numeric: true },
        ]}
      />
    </div>
  );
}
