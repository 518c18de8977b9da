import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Commitment } from "@/api/types";
import { Facts } from "@/shared/Facts";
import { formatMoment, formatMoney } from "@/shared/format";
import { Hash } from "@/shared/Hash";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { StateWord, toneOf } from "@/shared/StateWord";
import { TrustPanel } from "@/shared/TrustPanel";
import classes from "./Commitments.module.css";
import { CommitmentTimeline } from "./CommitmentTimeline";
import { ConfirmPayment } from "./ConfirmPayment";
import { DeliveryAddress } from "./DeliveryAddress";
import { MoneySection } from "./MoneySection";
import { PayAgain } from "./PayAgain";
import { ProofSection } from "./proof/ProofSection";
import { useCommitment } from "./queries";
import { ReportIssue } from "./ReportIssue";
import { Withdraw } from "./Withdraw";

const ROUTE = "/commitments/$commitmentId";

/** One commitment: where its money is, what happened, what comes next, what can be done. */
export function CommitmentPage() {
  return <RequireRole needs="any">{(account) => <ForAccount account={account} />}</RequireRole>;
}

function ForAccount({ account }: { account: Account }) {
  const { commitmentId } = useParams({ from: ROUTE });
  const query = useCommitment(commitmentId);
  useCleanAddress();
  return (
    <Loaded query={query} blocks={3}>
      {(commitment) => <Shown commitment={commitment} mayAct={account.role === "participant"} />}
    </Loaded>
  );
}

/** What the payment processor adds to the address beside the outcome is nobody's to keep. */
function useCleanAddress() {
  const { redirect_status: status } = useSearch({ from: ROUTE });
  const navigate = useNavigate({ from: ROUTE });
  useEffect(() => {
    if (!window.location.search.includes("payment_intent")) return;
    void navigate({
      search: status === undefined ? {} : { redirect_status: status },
      replace: true,
    });
  }, [navigate, status]);
}

function Shown({ commitment, mayAct }: { commitment: Commitment; mayAct: boolean }) {
  const { t } = useTranslation();
  const { acts } = commitment;
  return (
    <Page
      title={commitment.campaign_title}
      eyebrow={<StateWord words={commitment.state_words} tone={toneOf(commitment.state)} />}
    >
      <div className={classes.grid}>
        <div className={classes.main}>
          <Section title={t("commitment.money")} tone="trust">
            <p className={classes.moneyNow} role="status">
              {commitment.money_now}
            </p>
          </Section>
          {mayAct ? <ConfirmPayment commitment={commitment} /> : null}
          {mayAct && acts.pay ? <PayAgain commitment={commitment} /> : null}
          {mayAct ? <MoneySection commitmentId={commitment.id} /> : null}
          <Section title={t("commitment.timeline")}>
            <CommitmentTimeline commitment={commitment} />
          </Section>
          <CommitmentFacts commitment={commitment} />
          {mayAct ? <ProofSection commitmentId={commitment.id} /> : null}
          {mayAct ? <DeliveryAddress commitmentId={commitment.id} /> : null}
          {mayAct && acts.report_issue ? <ReportIssue commitmentId={commitment.id} /> : null}
          {mayAct && acts.withdraw ? <Withdraw commitment={commitment} /> : null}
        </div>
        <TrustPanel />
      </div>
    </Page>
  );
}

function CommitmentFacts({ commitment }: { commitment: Commitment }) {
  const { t } = useTranslation();
  const campaign = (
    <TextLink to="/campaigns/$campaignId" params={{ campaignId: commitment.campaign_id }}>
      {commitment.campaign_title}
    </TextLink>
  );
  const facts = [
    { label: t("commitment.campaign"), value: campaign },
    { label: t("commitment.units"), value: t("common.units", { count: commitment.quantity }) },
    { label: t("commitment.unitPrice"), value: formatMoney(commitment.unit_price) },
    { label: t("commitment.amount"), value: formatMoney(commitment.amount) },
    { label: t("commitment.made"), value: formatMoment(commitment.created_at) },
  ];
  if (commitment.terms_hash !== null) {
    facts.push({ label: t("commitment.terms"), value: <Hash value={commitment.terms_hash} /> });
  }
  return (
    <Section
      title={t("commitment.figures")}
      note={
        commitment.reference === null
          ? null
          : t("commitment.reference", { reference: commitment.reference })
      }
    >
      <Facts facts={facts} />
    </Section>
  );
}
