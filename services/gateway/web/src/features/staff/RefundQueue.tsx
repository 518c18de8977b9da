import { useTranslation } from "react-i18next";
import { DataTable } from "@/shared/DataTable";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatCount, formatMoment, formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { MoreButton } from "@/shared/MoreButton";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useUnsettledRefunds } from "./queries";

const HOUR_SECONDS = 3600;

/** Refunds that are owed, the oldest first: how old, how often tried, and what happens with each next. */
export function RefundQueue() {
  const { t } = useTranslation();
  const refunds = useUnsettledRefunds();
  return (
    <Section title={t("refunds.title")} note={t("refunds.text")}>
      <Loaded query={refunds}>
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data);
          if (rows.length === 0) return <EmptyNote title={t("refunds.none")} />;
          return (
            <Stack>
              <DataTable
                caption={t("refunds.title")}
                rows={rows}
                rowKey={(row) => row.id}
                columns={[
                  {
                    label: t("refunds.decided"),
                    cell: (row) => (
                      <TextLink
                        to="/staff/campaigns/$campaignId"
                        params={{ campaignId: row.campaign_id }}
                      >
                        {formatMoment(row.decided_at)}
                      </TextLink>
                    ),
                  },
                  {
                    label: t("refunds.age"),
                    cell: (row) =>
                      t("refunds.hours", {
                        count: Math.floor(row.age_seconds / HOUR_SECONDS),
                      }),
                  },
                  {
                    label: t("refunds.attempts"),
                    cell: (row) => formatCount(row.attempts),
                    numeric: true,
                  },
                  { label: t("refunds.next"), cell: (row) => row.next_act },
                  {
                    label: t("commitment.amount"),
                    cell: (row) => formatMoney(row.amount),
                    numeric: true,
                  },
                ]}
              />
              <MoreButton query={refunds} />
            </Stack>
          );
        }}
      </Loaded>
    </Section>
  );
}
