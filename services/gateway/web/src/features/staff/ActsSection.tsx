import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Account, Campaign } from "@/api/types";
import { ButtonLink } from "@/shared/links";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useSubmitCampaign } from "./queries";
import { ReviewForm } from "./ReviewForm";

/** Ending a campaign without fulfillment is no routine; it has a place of its own. */
export const SIGN_OFF = "sign_off_failure";

/** What the campaign's state asks of people; acts of another role are named, not offered. */
export function ActsSection({ campaign, account }: { campaign: Campaign; account: Account }) {
  const { t } = useTranslation();
  const acts = campaign.staff?.next_acts ?? [];
  const returned = campaign.staff?.returned_reason ?? null;
  return (
    <Section
      title={t("staffCampaign.acts")}
      note={returned === null ? null : t("staffCampaign.returned", { reason: returned })}
    >
      <Stack gap="large">
        {acts.every((act) => act === SIGN_OFF) ? <p>{t("staffCampaign.noActs")}</p> : null}
        {campaign.state === "DRAFT" && campaign.staff?.author_id === account.subject_id ? (
          <div>
            <ButtonLink
              variant="default"
              to="/staff/campaigns/$campaignId/edit"
              params={{ campaignId: campaign.id }}
            >
              {t("staffCampaign.edit")}
            </ButtonLink>
          </div>
        ) : null}
        {acts.includes("submit") ? (
          account.role === "operations" ? (
            <SubmitAct campaignId={campaign.id} />
          ) : (
            <p>{t("staffCampaign.otherRole", { role: t("role.operations") })}</p>
          )
        ) : null}
        {acts.includes("review") ? (
          account.role === "gatekeeper" ? (
            <ReviewForm campaignId={campaign.id} />
          ) : (
            <p>{t("staffCampaign.otherRole", { role: t("role.gatekeeper") })}</p>
          )
        ) : null}
        {acts.includes("submit_plan") && account.role !== "escrow_auditor" ? (
          <p>{t("staffCampaign.otherRole", { role: t("role.escrow_auditor") })}</p>
        ) : null}
      </Stack>
    </Section>
  );
}

function SubmitAct({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const submit = useSubmitCampaign(campaignId);
  return (
    <Stack>
      {submit.isError ? <ProblemNotice error={submit.error} /> : null}
      <p>{t("staffCampaign.submitText")}</p>
      <div>
        <Button loading={submit.isPending} onClick={() => submit.mutate({})}>
          {t("staffCampaign.submit")}
        </Button>
      </div>
    </Stack>
  );
}
