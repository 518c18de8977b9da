import { useTranslation } from "react-i18next";
import type { Transfer } from "@/api/types";
import { type Column, DataTable } from "@/shared/DataTable";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment, formatMoney } from "@/shared/format";
import { Loading } from "@/shared/Loading";
import { MoreButton } from "@/shared/MoreButton";
import { ProblemNotice } from "@/shared/ProblemNotice";
import classes from "./Escrow.module.css";
import { useTransfers } from "./queries";

/** Every transfer with its reason and the roles that approved it, the newest first. */
export function TransferTable({ campaignId }: { campaignId: string | null }) {
  const { t } = useTranslation();
  const query = useTransfers(campaignId);
  if (query.isError) return <ProblemNotice error={query.error} />;
  if (query.data === undefined) return <Loading blocks={2} />;
  const rows = query.data.pages.flatMap((part) => part.data);
  if (rows.length === 0) return <EmptyNote title={t("escrow.noTransfers")} />;
  const columns: Column<Transfer>[] = [
    { label: t("common.when"), cell: (row) => formatMoment(row.at) },
    { label: t("common.what"), cell: (row) => <What transfer={row} /> },
    { label: t("escrow.approved"), cell: (row) => row.approval },
    { label: t("escrow.commitment"), cell: (row) => row.commitment ?? t("escrow.noCommitment") },
    { label: t("escrow.amount"), cell: (row) => formatMoney(row.amount), numeric: true },
  ];
  return (
    <>
      <DataTable
        caption={t("escrow.transfers")}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
      />
      <MoreButton query={query} />
    </>
  );
}

function What({ transfer }: { transfer: Transfer }) {
  const { t } = useTranslation();
  const place =
    transfer.seq === null ? t("escrow.unnamed") : t("escrow.place", { seq: transfer.seq });
  return (
    <>
      {transfer.sentence}
      <br />
      <span className={classes.small}>
        {place} <code className={classes.hash}>{transfer.hash}</code>
      </span>
    </>
  );
}
