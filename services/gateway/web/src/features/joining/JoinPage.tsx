import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Address, Campaign } from "@/api/types";
import { useAddresses } from "@/shared/address/queries";
import { useCampaign } from "@/shared/campaign";
import { Loaded } from "@/shared/Loaded";
import { ButtonLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { useSecurity } from "@/shared/proof/queries";
import { RequireRole } from "@/shared/RequireRole";
import { TrustPanel } from "@/shared/TrustPanel";
import { CardStep } from "./CardStep";
import { DeliveryStep } from "./DeliveryStep";
import { FactorStep } from "./FactorStep";
import classes from "./JoinPage.module.css";
import { QuantityStep } from "./QuantityStep";
import { unansweredCommit } from "./queries";
import { ReviewStep } from "./ReviewStep";

export type StepName = "quantity" | "delivery" | "review" | "card";
const STEPS: readonly StepName[] = ["quantity", "review", "card"];
const STEPS_TO_ADDRESS: readonly StepName[] = ["quantity", "delivery", "review", "card"];

const ROUTE = "/campaigns/$campaignId/join";

/** Quantity, where to, check your answers, card: one question a page, the trust panel beside each. */
export function JoinPage() {
  const { campaignId } = useParams({ from: ROUTE });
  const campaign = useCampaign(campaignId);
  return (
    <RequireRole needs="participant">
      {() => (
        <Loaded query={campaign} blocks={2}>
          {(data) => <Joining campaign={data} />}
        </Loaded>
      )}
    </RequireRole>
  );
}

/** Addresses are read only where the terms deliver to one. */
function Joining({ campaign }: { campaign: Campaign }) {
  const delivers = campaign.terms.delivers_to === "participant_address";
  const addresses = useAddresses(delivers);
  if (!delivers) return <JoinSteps campaign={campaign} addresses={null} />;
  return (
    <Loaded query={addresses} blocks={2}>
      {(mine) => <JoinSteps campaign={campaign} addresses={mine} />}
    </Loaded>
  );
}

interface JoinStepsProps {
  campaign: Campaign;
  /** The person's addresses; null where the units are handed over at one point. */
  addresses: readonly Address[] | null;
}

function JoinSteps({ campaign, addresses }: JoinStepsProps) {
  const { t } = useTranslation();
  const search = useSearch({ from: ROUTE });
  const sent = unansweredCommit(campaign.id);
  const quantity = sent?.quantity ?? search.quantity;
  const address = addresses?.find(({ id }) => id === search.address);
  const security = useSecurity();
  const steps = addresses === null ? STEPS : STEPS_TO_ADDRESS;
  const step = sent !== null ? "card" : stepOf(search.step, quantity, addresses, address);

  // Said before anything is filled in; the server refuses the commitment in any case.
  const needsFactor = sent === null && security.data?.factor_needed_to_commit === true;
  const closed = !campaign.joining || campaign.joining_paused;
  if (closed && sent === null) return <NotOpen campaign={campaign} />;
  return (
    <Page
      title={t("join.title", { title: campaign.title })}
      eyebrow={
        <p className={classes.step}>
          {t("join.step", {
            step: steps.indexOf(step) + 1,
            steps: steps.length,
          })}
          : {t(`join.stepName.${step}`)}
        </p>
      }
    >
      <div className={classes.grid}>
        <div>
          {needsFactor ? (
            <FactorStep />
          ) : (
            <Step
              campaign={campaign}
              addresses={addresses}
              address={address}
              quantity={quantity}
              step={step}
            />
          )}
        </div>
        <TrustPanel />
      </div>
    </Page>
  );
}

interface StepProps extends JoinStepsProps {
  address: Address | undefined;
  quantity: number | undefined;
  step: StepName;
}

/** One step. What it was answered is written into its own address too, so that going back finds it. */
function Step({ campaign, addresses, address, quantity, step }: StepProps) {
  const navigate = useNavigate({ from: ROUTE });
  const said = {
    ...(quantity === undefined ? {} : { quantity }),
    ...(address === undefined ? {} : { address: address.id }),
  };
  const goTo = (next: Exclude<StepName, "quantity">) =>
    void navigate({ search: { ...said, step: next } });

  async function takeQuantity(units: number) {
    await navigate({ search: { ...said, quantity: units }, replace: true });
    const next = addresses === null ? "review" : "delivery";
    await navigate({ search: { ...said, quantity: units, step: next } });
  }

  async function takeAddress(addressId: string) {
    await navigate({ search: { ...said, address: addressId, step: "delivery" }, replace: true });
    await navigate({ search: { ...said, address: addressId, step: "review" } });
  }

  if (step === "quantity" || quantity === undefined) {
    return (
      <QuantityStep
        campaign={campaign}
        quantity={quantity}
        onDone={(units) => void takeQuantity(units)}
      />
    );
  }
  if (step === "delivery") {
    return (
      <DeliveryStep
        addresses={addresses ?? []}
        chosen={address?.id}
        onDone={(id) => void takeAddress(id)}
      />
    );
  }
  if (step === "review") {
    return (
      <ReviewStep
        campaign={campaign}
        quantity={quantity}
        address={address}
        onChange={() => void navigate({ search: said })}
        onOtherAddress={() => goTo("delivery")}
        onDone={() => goTo("card")}
      />
    );
  }
  return (
    <CardStep
      campaign={campaign}
      quantity={quantity}
      addressId={address?.id}
      onReadAgain={() => goTo("review")}
      onOtherAddress={() => goTo("delivery")}
    />
  );
}

/** The step that was asked for, or the first one before it that has no answer yet. */
function stepOf(
  wanted: StepName | undefined,
  quantity: number | undefined,
  addresses: readonly Address[] | null,
  address: Address | undefined,
): StepName {
  if (wanted === undefined || quantity === undefined) return "quantity";
  if (addresses !== null && address === undefined) return "delivery";
  return wanted === "delivery" && addresses === null ? "review" : wanted;
}

function NotOpen({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  return (
    <Page
      title={t("join.empty")}
      lead={campaign.joining_paused ? t("campaign.joiningPaused") : campaign.state_explained}
      width="narrow"
    >
      <ButtonLink to="/campaigns/$campaignId" params={{ campaignId: campaign.id }}>
        {t("campaigns.view")}
      </ButtonLink>
    </Page>
  );
}
