import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Campaign, Plan } from "@/api/types";
import { type Column, DataTable } from "@/shared/DataTable";
import { formatMoney } from "@/shared/format";
import { type FigureLine, figuresOf } from "./figures";

/** What the plan moves; before it has run also each account before and after. */
export function PlanFigures({ plan, campaign }: { plan: Plan; campaign: Campaign }) {
  const { t } = useTranslation();
  const ahead = plan.state === "SUBMITTED" || plan.state === "APPROVED";
  const movement: Column<FigureLine> = {
    label: t("plan.movement"),
    cell: (line) => formatMoney(line.movement),
    numeric: true,
  };
  const account: Column<FigureLine> = {
    label: t("plan.account"),
    cell: (line) => t(`plan.${line.account}`),
  };
  const columns: Column<FigureLine>[] = ahead
    ? [
        account,
        { label: t("plan.before"), cell: (line) => formatMoney(line.before), numeric: true },
        movement,
        { label: t("plan.after"), cell: (line) => formatMoney(line.after), numeric: true },
      ]
    : [account, movement];
  return (
    <div>
      <Title order={4} mb="xs">
        {t("plan.figures")}
      </Title>
      <DataTable
        caption={t("plan.figures")}
        rows={figuresOf(plan, campaign.money)}
        rowKey={(line) => line.account}
        columns={columns}
      />
    </div>
  );
}
