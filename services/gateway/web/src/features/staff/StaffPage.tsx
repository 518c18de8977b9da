import { useTranslation } from "react-i18next";
import type { Account, CampaignSummary, Plan, StaffOverview } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment, formatMoney } from "@/shared/format";
import { Line, Lines } from "@/shared/Lines";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { MoreButton } from "@/shared/MoreButton";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import { CaseList } from "./CaseList";
import { DisputeList } from "./DisputeList";
import { IssueLine } from "./IssueLine";
import { useDrafts, useOverview } from "./queries";
import { RefundQueue } from "./RefundQueue";
import { SettlingCampaigns } from "./SettlingCampaigns";
import classes from "./Staff.module.css";

/** What needs a person now, each one link from its act. */
export function StaffPage() {
  const { t } = useTranslation();
  const overview = useOverview();
  return (
    <RequireRole needs="staff">
      {(account) => (
        <Page title={t("staff.title")} lead={t("staff.lead")}>
          <p>
            <TextLink to="/staff/money">{t("staffMoney.title")}</TextLink>
          </p>
          <Loaded query={overview} blocks={4}>
            {(data) => <Queues overview={data} account={account} />}
          </Loaded>
        </Page>
      )}
    </RequireRole>
  );
}

function Queues({ overview, account }: { overview: StaffOverview; account: Account }) {
  const { t } = useTranslation();
  return (
    <Stack gap="large">
      <Section title={t("staff.reviews")}>
        <CampaignLines campaigns={overview.reviews} empty={t("staff.reviewsEmpty")} />
      </Section>
      <DraftsSection account={account} />
      <Section title={t("staff.ready")}>
        <CampaignLines campaigns={overview.ready_for_plan} empty={t("staff.readyEmpty")} />
      </Section>
      <Section title={t("staff.plans")}>
        <PlanLines plans={overview.plans} />
      </Section>
      <Section title={t("staff.issues")}>
        {overview.issues.length === 0 ? (
          <EmptyNote title={t("staff.issuesEmpty")} />
        ) : (
          <Lines narrow>
            {overview.issues.map((issue) => (
              <Line key={issue.id}>
                <IssueLine issue={issue} actor={account.role} />
              </Line>
            ))}
          </Lines>
        )}
      </Section>
      <Section title={t("dispute.title")}>
        <DisputeList role={account.role} />
      </Section>
      <SettlingCampaigns />
      <RefundQueue />
      <Section title={t("staff.cases")}>
        <CaseList cases={overview.cases} empty={t("staff.casesEmpty")} viewer={account.role} />
      </Section>
    </Stack>
  );
}

/** What is being prepared; the role that drafts can begin another one. */
function DraftsSection({ account }: { account: Account }) {
  const { t } = useTranslation();
  const drafts = useDrafts();
  return (
    <Section
      title={t("staff.drafts")}
      aside={
        account.role === "operations" ? (
          <TextLink to="/staff/drafts/new">{t("staff.draftNew")}</TextLink>
        ) : null
      }
    >
      <Loaded query={drafts}>
        {({ pages }) => (
          <Stack>
            <CampaignLines
              campaigns={pages.flatMap(({ data }) => data)}
              empty={t("staff.draftsEmpty")}
            />
            <MoreButton query={drafts} />
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

interface CampaignLinesProps {
  campaigns: readonly CampaignSummary[];
  empty: string;
}

function CampaignLines({ campaigns, empty }: CampaignLinesProps) {
  if (campaigns.length === 0) return <EmptyNote title={empty} />;
  return (
    <Lines narrow>
      {campaigns.map((campaign) => (
        <Line key={campaign.id}>
          <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: campaign.id }}>
            {campaign.title}
          </TextLink>
          <StateWord words={campaign.state_words} tone={toneOf(campaign.state)} />
        </Line>
      ))}
    </Lines>
  );
}

function PlanLines({ plans }: { plans: readonly Plan[] }) {
  const { t } = useTranslation();
  if (plans.length === 0) return <EmptyNote title={t("staff.plansEmpty")} />;
  return (
    <Lines narrow>
      {plans.map((plan) => (
        <Line key={plan.id}>
          <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: plan.campaign_id }}>
            {t("plan.heading", {
              kind: plan.kind_words,
              moment: formatMoment(plan.submitted_at),
            })}
          </TextLink>
          <span className={classes.amount}>{formatMoney(plan.net)}</span>
          <StateWord words={plan.state_words} tone={toneOf(plan.state)} />
        </Line>
      ))}
    </Lines>
  );
}
