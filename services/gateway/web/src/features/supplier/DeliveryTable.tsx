import { Checkbox } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { CommitmentRow } from "@/api/types";
import { DataTable } from "@/shared/DataTable";
import { formatCount, formatMoment, shortId } from "@/shared/format";
import { Stack } from "@/shared/Stack";

interface DeliveryTableProps {
  rows: readonly CommitmentRow[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

/** What a commitment is called where its people are not named. */
export function nameOf(row: CommitmentRow): string {
  return row.reference ?? shortId(row.id);
}

export function DeliveryTable({ rows, chosen, onChoose }: DeliveryTableProps) {
  const { t } = useTranslation();
  const open = rows.filter((row) => row.delivery?.state !== "delivered");
  const all = open.length > 0 && open.every((row) => chosen.has(row.id));

  function toggle(row: CommitmentRow) {
    const next = new Set(chosen);
    if (!next.delete(row.id)) next.add(row.id);
    onChoose(next);
  }

  return (
    <Stack>
      <Checkbox
        label={t("fulfillment.choose")}
        checked={all}
        disabled={open.length === 0}
        onChange={() => onChoose(new Set(all ? [] : open.map((row) => row.id)))}
      />
      <DataTable
        caption={t("staffCampaign.lines")}
        rows={rows}
        rowKey={(row) => row.id}
        columns={[
          {
            label: t("fulfillment.reference"),
            cell: (row) => (
              <Checkbox
                label={nameOf(row)}
                aria-label={t("fulfillment.chooseOne", { reference: nameOf(row) })}
                checked={chosen.has(row.id)}
                disabled={row.delivery?.state === "delivered"}
                onChange={() => toggle(row)}
              />
            ),
          },
          {
            label: t("fulfillment.units"),
            cell: (row) => formatCount(row.quantity),
            numeric: true,
          },
          { label: t("fulfillment.delivery"), cell: (row) => <DeliveryWords row={row} /> },
          { label: t("fulfillment.tracking"), cell: (row) => row.delivery?.tracking ?? "–" },
        ]}
      />
    </Stack>
  );
}

function DeliveryWords({ row }: { row: CommitmentRow }) {
  const { t } = useTranslation();
  const until = row.delivery?.inspection_until;
  return (
    <>
      {t(`fulfillment.${row.delivery?.state ?? "preparing"}`)}
      {until ? `. ${t("commitment.event.inspection", { moment: formatMoment(until) })}` : null}
      {row.issue !== null ? `. ${t("fulfillment.issue")}` : null}
    </>
  );
}
