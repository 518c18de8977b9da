import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Account, Campaign } from "@/api/types";
import { useCampaign } from "@/shared/campaign";
import { Facts } from "@/shared/Facts";
import { formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import { TermsFacts } from "@/shared/TermsFacts";
import { ActsSection, SIGN_OFF } from "./ActsSection";
import { CaseList } from "./CaseList";
import { LineTable } from "./LineTable";
import { PlanSection } from "./PlanSection";
import { SignOffForm } from "./SignOffForm";

const RECHECK_MILLISECONDS = 15_000;

/** A campaign as staff see it: what can be done now, clearing plans, cases, commitments. */
export function StaffCampaignPage() {
  const { campaignId } = useParams({ from: "/staff/campaigns/$campaignId" });
  const campaign = useCampaign(campaignId, { pollMilliseconds: RECHECK_MILLISECONDS });
  return (
    <RequireRole needs="staff">
      {(account) => (
        <Loaded query={campaign} blocks={4}>
          {(data) => <Parts campaign={data} account={account} />}
        </Loaded>
      )}
    </RequireRole>
  );
}

function Parts({ campaign, account }: { campaign: Campaign; account: Account }) {
  const { t } = useTranslation();
  return (
    <Page
      title={campaign.title}
      eyebrow={<StateWord words={campaign.state_words} tone={toneOf(campaign.state)} />}
      lead={campaign.state_explained}
    >
      <Stack gap="large">
        <ActsSection campaign={campaign} account={account} />
        <PlanSection campaign={campaign} account={account} />
        <Section title={t("campaign.escrow")}>
          <MoneyFacts campaign={campaign} />
        </Section>
        <Section title={t("staffCampaign.cases")}>
          <CaseList
            cases={campaign.staff?.cases ?? []}
            empty={t("staff.casesEmpty")}
            viewer={account.role}
          />
        </Section>
        <Section title={t("staffCampaign.lines")}>
          <LineTable campaignId={campaign.id} />
        </Section>
        {campaign.staff?.next_acts.includes(SIGN_OFF) ? (
          <Section
            title={t("staffCampaign.signOff")}
            note={t("staffCampaign.signOffText")}
            tone="caution"
          >
            <SignOffForm campaign={campaign} actor={account.role} />
          </Section>
        ) : null}
        <Section
          title={t("campaign.terms")}
          aside={
            <TextLink to="/campaigns/$campaignId" params={{ campaignId: campaign.id }}>
              {t("staffCampaign.public")}
            </TextLink>
          }
        >
          <TermsFacts terms={campaign.terms} hash={campaign.terms_hash} />
        </Section>
      </Stack>
    </Page>
  );
}

function MoneyFacts({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const { money } = campaign;
  return (
    <Facts
      look="figures"
      facts={[
        { label: t("campaign.moneyHeld"), value: formatMoney(money.held) },
        { label: t("campaign.moneyReleased"), value: formatMoney(money.released) },
        { label: t("campaign.moneyRefundOwed"), value: formatMoney(money.refund_owed) },
        { label: t("campaign.moneyRefunded"), value: formatMoney(money.refunded) },
        { label: t("campaign.moneyReserve"), value: formatMoney(money.reserved_for_issues) },
        { label: t("campaign.moneyFees"), value: formatMoney(money.fees) },
      ]}
    />
  );
}
