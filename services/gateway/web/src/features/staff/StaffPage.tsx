import { useTranslation } from "react-i18next";
import type { Account, CampaignSummary, Plan, StaffOverview } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment, formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import { CaseList } from "./CaseList";
import { IssueLine } from "./IssueLine";
import { useOverview } from "./queries";
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
          <ul className={classes.lines}>
            {overview.issues.map((issue) => (
              <li key={issue.id} className={classes.line}>
                <IssueLine issue={issue} actor={account.role} />
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section title={t("staff.cases")}>
        <CaseList cases={overview.cases} empty={t("staff.casesEmpty")} />
      </Section>
    </Stack>
  );
}

interface CampaignLinesProps {
  campaigns: readonly CampaignSummary[];
  empty: string;
}

function CampaignLines({ campaigns, empty }: CampaignLinesProps) {
  if (campaigns.length === 0) return <EmptyNote title={empty} />;
  return (
    <ul className={classes.lines}>
      {campaigns.map((campaign) => (
        <li key={campaign.id} className={classes.line}>
          <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: campaign.id }}>
            {campaign.title}
          </TextLink>
          <StateWord words={campaign.state_words} tone={toneOf(campaign.state)} />
        </li>
      ))}
    </ul>
  );
}

function PlanLines({ plans }: { plans: readonly Plan[] }) {
  const { t } = useTranslation();
  if (plans.length === 0) return <EmptyNote title={t("staff.plansEmpty")} />;
  return (
    <ul className={classes.lines}>
      {plans.map((plan) => (
        <li key={plan.id} className={classes.line}>
          <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: plan.campaign_id }}>
            {t("plan.heading", {
              kind: t(plan.kind === "release" ? "plan.release" : "plan.reserve_release"),
              moment: formatMoment(plan.submitted_at),
            })}
          </TextLink>
          <span className={classes.amount}>{formatMoney(plan.net)}</span>
          <StateWord words={plan.state_words} tone={toneOf(plan.state)} />
        </li>
      ))}
    </ul>
  );
}
