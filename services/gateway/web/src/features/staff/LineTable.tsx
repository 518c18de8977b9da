import { useTranslation } from "react-i18next";
import { DataTable } from "@/shared/DataTable";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatCount, formatMoney, shortId } from "@/shared/format";
import { Loading } from "@/shared/Loading";
import { MoreButton } from "@/shared/MoreButton";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { useLines } from "./queries";

/** The commitments of a campaign, without who made them. */
export function LineTable({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const query = useLines(campaignId);
  if (query.isError) return <ProblemNotice error={query.error} />;
  if (query.data === undefined) return <Loading />;
  const rows = query.data.pages.flatMap((part) => part.data);
  if (rows.length === 0) return <EmptyNote title={t("staffCampaign.linesEmpty")} />;
  return (
    <Stack>
      <DataTable
        caption={t("staffCampaign.lines")}
        rows={rows}
        rowKey={(row) => row.id}
        columns={[
          { label: t("fulfillment.reference"), cell: (row) => row.reference ?? shortId(row.id) },
          { label: t("fulfillment.state"), cell: (row) => row.state_words },
          {
            label: t("fulfillment.delivery"),
            cell: (row) => t(`fulfillment.${row.delivery?.state ?? "preparing"}`),
          },
          {
            label: t("fulfillment.units"),
            cell: (row) => formatCount(row.quantity),
            numeric: true,
          },
          {
            label: t("commitment.amount"),
            cell: (row) => (row.amount === null ? "–" : formatMoney(row.amount)),
            numeric: true,
          },
        ]}
      />
      <MoreButton query={query} />
    </Stack>
  );
}
