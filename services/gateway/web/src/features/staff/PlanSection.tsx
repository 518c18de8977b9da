import { useTranslation } from "react-i18next";
import type { Account, Campaign, Plan } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { Loaded } from "@/shared/Loaded";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { HandPlanForm } from "./HandPlanForm";
import { PlanForm } from "./PlanForm";
import { PlanView } from "./PlanView";
import { usePlans } from "./queries";

const RELEASES: ReadonlySet<Plan["kind"]> = new Set(["release", "reserve_release"]);

/** Plans that wait or run; while a release does, no other can be made. */
const UNDER_WAY: ReadonlySet<Plan["state"]> = new Set(["SUBMITTED", "APPROVED", "SENDING"]);

export function PlanSection({ campaign, account }: { campaign: Campaign; account: Account }) {
  const { t } = useTranslation();
  const plans = usePlans(campaign.id);
  const kind = kindFor(campaign);
  return (
    <Section title={t("plan.title")}>
      <Loaded query={plans}>
        {(all) => (
          <Stack gap="large">
            {all.length === 0 ? <EmptyNote title={t("plan.none")} /> : null}
            <div>
              {all.map((plan) => (
                <PlanView key={plan.id} plan={plan} account={account} />
              ))}
            </div>
            {account.role === "escrow_auditor" &&
            kind !== null &&
            !all.some((plan) => RELEASES.has(plan.kind) && UNDER_WAY.has(plan.state)) ? (
              <PlanForm campaignId={campaign.id} kind={kind} />
            ) : null}
            {account.role === "escrow_auditor" ? (
              <HandPlanForm campaign={campaign} plans={all} />
            ) : null}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

/** Which plan the campaign's state and money call for, if any. */
function kindFor(campaign: Campaign): "release" | "reserve_release" | null {
  const acts = campaign.staff?.next_acts ?? [];
  if (acts.includes("submit_plan")) return "release";
  const reserve = campaign.money.reserved_for_issues.amount > 0;
  return campaign.state === "COMPLETED" && reserve ? "reserve_release" : null;
}
