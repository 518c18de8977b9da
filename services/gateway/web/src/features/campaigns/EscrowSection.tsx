import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { type Fact, Facts } from "@/shared/Facts";
import { formatCount, formatMoment, formatMoney } from "@/shared/format";
import { TextLink } from "@/shared/links";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

/** Held, released, refunded, to the cent; the lesser figures below, only where there are any. */
export function EscrowSection({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const { money, settlement } = campaign;
  const lesser: Fact[] = [
    { label: t("campaign.moneyRefundOwed"), money: money.refund_owed },
    { label: t("campaign.moneyReserve"), money: money.reserved_for_issues },
    { label: t("campaign.moneyFees"), money: money.fees },
  ]
    .filter((line) => line.money.amount !== 0)
    .map((line) => ({ label: line.label, value: formatMoney(line.money) }));
  return (
    <Section title={t("campaign.escrow")} note={t("campaign.escrowText")}>
      <Stack>
        <Facts
          look="figures"
          facts={[
            { label: t("campaign.moneyHeld"), value: formatMoney(money.held) },
            { label: t("campaign.moneyReleased"), value: formatMoney(money.released) },
            { label: t("campaign.moneyRefunded"), value: formatMoney(money.refunded) },
          ]}
        />
        {lesser.length > 0 ? <Facts facts={lesser} /> : null}
        <TextLink to="/campaigns/$campaignId/escrow" params={{ campaignId: campaign.id }}>
          {t("escrow.open")}
        </TextLink>
        {settlement !== null ? <Settlement settlement={settlement} /> : null}
      </Stack>
    </Section>
  );
}

/** How far a closed campaign's refunds are, and when the last is expected to be paid. */
function Settlement({ settlement }: { settlement: NonNullable<Campaign["settlement"]> }) {
  const { t } = useTranslation();
  const { refunds_paid: paid, refunds_owed: owed, refunds_waiting: waiting } = settlement;
  const all = paid + owed;
  if (owed === 0) return <p>{t("campaign.settlementDone", { all: formatCount(all) })}</p>;
  const amount = formatMoney(settlement.owed);
  return (
    <p>
      {t("campaign.settlement", { paid: formatCount(paid), all: formatCount(all), amount })}
      {settlement.expected_by === null
        ? null
        : ` ${t("campaign.settlementBy", { moment: formatMoment(settlement.expected_by) })}`}
      {waiting === 0 ? null : ` ${t("campaign.settlementWaiting", { count: waiting })}`}
    </p>
  );
}
