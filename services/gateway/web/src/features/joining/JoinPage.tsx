import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { useCampaign } from "@/shared/campaign";
import { Loaded } from "@/shared/Loaded";
import { ButtonLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { useSecurity } from "@/shared/proof/queries";
import { RequireRole } from "@/shared/RequireRole";
import { TrustPanel } from "@/shared/TrustPanel";
import { CardStep } from "./CardStep";
import { FactorStep } from "./FactorStep";
import classes from "./JoinPage.module.css";
import { QuantityStep } from "./QuantityStep";
import { unansweredCommit } from "./queries";
import { ReviewStep } from "./ReviewStep";

const STEPS = ["quantity", "review", "card"] as const;
export type StepName = (typeof STEPS)[number];

const ROUTE = "/campaigns/$campaignId/join";

/** Quantity, check your answers, card: one question a page, the trust panel beside each. */
export function JoinPage() {
  const { campaignId } = useParams({ from: ROUTE });
  const campaign = useCampaign(campaignId);
  return (
    <RequireRole needs="participant">
      {() => (
        <Loaded query={campaign} blocks={2}>
          {(data) => <JoinSteps campaign={data} />}
        </Loaded>
      )}
    </RequireRole>
  );
}

function JoinSteps({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const search = useSearch({ from: ROUTE });
  const navigate = useNavigate({ from: ROUTE });
  const sent = unansweredCommit(campaign.id);
  const quantity = sent?.quantity ?? search.quantity;
  const security = useSecurity();
  const step = sent !== null ? "card" : quantity === undefined ? "quantity" : stepOf(search.step);

  /** The quantity is written into this step's own address too, so that going back finds it. */
  async function review(units: number) {
    await navigate({ search: { quantity: units }, replace: true });
    await navigate({ search: { step: "review", quantity: units } });
  }

  // Said before anything is filled in; the server refuses the commitment in any case.
  const needsFactor = sent === null && security.data?.factor_needed_to_commit === true;
  if (!campaign.joining && sent === null) return <NotOpen campaign={campaign} />;
  return (
    <Page
      title={t("join.title", { title: campaign.title })}
      eyebrow={
        <p className={classes.step}>
          {t("join.step", { step: STEPS.indexOf(step) + 1, steps: STEPS.length })}:{" "}
          {t(`join.stepName.${step}`)}
        </p>
      }
    >
      <div className={classes.grid}>
        <div>
          {needsFactor ? (
            <FactorStep />
          ) : step === "quantity" || quantity === undefined ? (
            <QuantityStep
              campaign={campaign}
              quantity={quantity}
              onDone={(units) => void review(units)}
            />
          ) : step === "review" ? (
            <ReviewStep
              campaign={campaign}
              quantity={quantity}
              onChange={() => void navigate({ search: { quantity } })}
              onDone={() => void navigate({ search: { step: "card", quantity } })}
            />
          ) : (
            <CardStep
              campaign={campaign}
              quantity={quantity}
              onReadAgain={() => void navigate({ search: { step: "review", quantity } })}
            />
          )}
        </div>
        <TrustPanel />
      </div>
    </Page>
  );
}

function stepOf(wanted: "review" | "card" | undefined): StepName {
  return wanted ?? "quantity";
}

function NotOpen({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  return (
    <Page title={t("join.empty")} lead={campaign.state_explained} width="narrow">
      <ButtonLink to="/campaigns/$campaignId" params={{ campaignId: campaign.id }}>
        {t("campaigns.view")}
      </ButtonLink>
    </Page>
  );
}
