import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, read } from "@/api/client";
import type { CampaignCost, FloatGauge, PlatformMoney } from "@/api/types";
import { type Column, DataTable } from "@/shared/DataTable";
import { EmptyNote } from "@/shared/EmptyNote";
import { Facts } from "@/shared/Facts";
import { formatMoment, formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { Notice } from "@/shared/Notice";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

const FIGURES = [
  "at_processor",
  "owed",
  "above_owed",
  "put_in",
  "fees",
  "processor_cost",
  "disputes",
  "goodwill",
] as const;

const GAUGE = ["available", "worst_case_fees", "buffer", "room", "next_fee"] as const;

/** The platform's own money: what covers what is owed, what the float can carry, and what ended campaigns cost. */
export function StaffMoneyPage() {
  const { t } = useTranslation();
  const query = useQuery({
    queryKey: ["staff", "money"],
    queryFn: () => read(api.GET("/v1/staff/money")),
  });
  return (
    <RequireRole needs="staff">
      {() => (
        <Page title={t("staffMoney.title")} lead={t("staffMoney.lead")}>
          <Loaded query={query} blocks={2}>
            {(data) => <Shown money={data} />}
          </Loaded>
        </Page>
      )}
    </RequireRole>
  );
}

function Shown({ money }: { money: PlatformMoney }) {
  const { t } = useTranslation();
  const moment = formatMoment(money.checked_at);
  return (
    <Stack gap="large">
      {money.covered ? (
        <Notice title={t("staffMoney.covered", { moment })} />
      ) : (
        <Notice tone="trouble" title={t("staffMoney.notCovered", { moment })} />
      )}
      {money.sums.map((sums) => (
        <Section key={sums.currency} title={t("escrow.sums", { currency: sums.currency })}>
          <Facts
            facts={FIGURES.map((name) => ({
              label: t(`staffMoney.${name}`),
              value: formatMoney(sums[name]),
            }))}
          />
        </Section>
      ))}
      {money.gauges.map((gauge) => (
        <Gauge key={gauge.currency} gauge={gauge} />
      ))}
      <Section title={t("staffMoney.campaigns")} note={t("staffMoney.campaignsNote")}>
        <Costs campaigns={money.campaigns} />
      </Section>
    </Stack>
  );
}

/** Why joining goes on or pauses: what the float has, less what it may have to carry. */
function Gauge({ gauge }: { gauge: FloatGauge }) {
  const { t } = useTranslation();
  const moment = formatMoment(gauge.gauged_at);
  return (
    <Section
      title={t("staffMoney.gauge", { currency: gauge.currency })}
      note={t("staffMoney.gaugeNote")}
    >
      {gauge.admits ? (
        <Notice title={t("staffMoney.admits", { moment })} />
      ) : (
        <Notice tone="trouble" title={t("staffMoney.paused", { moment })} />
      )}
      <Facts
        facts={GAUGE.map((name) => ({
          label: t(`staffMoney.${name}`),
          value: formatMoney(gauge[name]),
        }))}
      />
    </Section>
  );
}

function Costs({ campaigns }: { campaigns: readonly CampaignCost[] }) {
  const { t } = useTranslation();
  if (campaigns.length === 0) return <EmptyNote title={t("staffMoney.empty")} />;
  const amounts = ["fee", "processor_cost", "disputes", "goodwill", "result"] as const;
  const columns: Column<CampaignCost>[] = [
    {
      label: t("commitment.campaign"),
      cell: (row) => (
        <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: row.campaign_id }}>
          {row.campaign_title}
        </TextLink>
      ),
    },
    ...amounts.map((name) => ({
      label: t(`staffMoney.${name}`),
      cell: (row: CampaignCost) => formatMoney(row[name]),
      numeric: true,
    })),
  ];
  return (
    <DataTable
      caption={t("staffMoney.campaigns")}
      columns={columns}
      rows={campaigns}
      rowKey={(row) => row.campaign_id}
    />
  );
}
