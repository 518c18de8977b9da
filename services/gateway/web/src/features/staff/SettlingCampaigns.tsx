import { useTranslation } from "react-i18next";
import { DataTable } from "@/shared/DataTable";
import { formatCount, formatMoment, formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { MoreButton } from "@/shared/MoreButton";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useSettlingCampaigns } from "./queries";

/** Campaigns that owe refunds: paid n of m, the pace of the last minutes, the expected end. Nothing when none does. */
export function SettlingCampaigns() {
  const { t } = useTranslation();
  const campaigns = useSettlingCampaigns();
  return (
    <Loaded query={campaigns}>
      {({ pages }) => {
        const rows = pages.flatMap(({ data }) => data);
        if (rows.length === 0) return null;
        return (
          <Section title={t("refunds.campaignsTitle")} note={t("refunds.campaignsText")}>
            <Stack>
              <DataTable
                caption={t("refunds.campaignsTitle")}
                rows={rows}
                rowKey={(row) => row.id}
                columns={[
                  {
                    label: t("refunds.campaign"),
                    cell: (row) => (
                      <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: row.id }}>
                        {row.title}
                      </TextLink>
                    ),
                  },
                  {
                    label: t("refunds.paid"),
                    cell: ({ settlement }) =>
                      t("refunds.paidOf", {
                        paid: formatCount(settlement.refunds_paid),
                        all: formatCount(settlement.refunds_paid + settlement.refunds_owed),
                      }),
                  },
                  {
                    label: t("refunds.lately"),
                    cell: ({ settlement }) => formatCount(settlement.paid_lately),
                    numeric: true,
                  },
                  {
                    label: t("refunds.waiting"),
                    cell: ({ settlement }) => formatCount(settlement.refunds_waiting),
                    numeric: true,
                  },
                  {
                    label: t("refunds.expected"),
                    cell: ({ settlement }) =>
                      settlement.expected_by === null
                        ? t("refunds.noEnd")
                        : formatMoment(settlement.expected_by),
                  },
                  {
                    label: t("refunds.owed"),
                    cell: ({ settlement }) => formatMoney(settlement.owed),
                    numeric: true,
                  },
                ]}
              />
              <MoreButton query={campaigns} />
            </Stack>
          </Section>
        );
      }}
    </Loaded>
  );
}
