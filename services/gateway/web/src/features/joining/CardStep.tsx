import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Outcome } from "@/api/command";
import { hasCode, RefusedByServer } from "@/api/problem";
import type { Campaign, Commitment } from "@/api/types";
import { formatMoney, times } from "@/shared/format";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { CardForm } from "@/shared/payment/CardForm";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { type CommitBody, unansweredCommit, useCommit } from "./queries";

const ADDRESS_CODES = ["address_required", "address_unknown", "address_out_of_region"];

interface CardStepProps {
  campaign: Campaign;
  quantity: number;
  /** Where the units go, when the terms deliver to an address. */
  addressId: string | undefined;
  onReadAgain: () => void;
  onOtherAddress: () => void;
}

/** The card, and the one act that charges it. What was sent before a reload is asked about first. */
export function CardStep(props: CardStepProps) {
  const { campaign, quantity, addressId, onReadAgain, onOtherAddress } = props;
  const { t } = useTranslation();
  const navigate = useNavigate();
  const commit = useCommit(campaign.id);
  const amount = times(campaign.unit_price, quantity);
  const resumed = useRef(false);

  function send(body: CommitBody) {
    commit.mutate(body, {
      onSuccess: (outcome) => follow(outcome),
      onError: (error) => followRefusal(error),
    });
  }

  function toCommitment(commitmentId: string) {
    void navigate({ to: "/commitments/$commitmentId", params: { commitmentId } });
  }

  function follow(outcome: Outcome<Commitment>) {
    if (outcome.kind === "redirect") {
      window.location.assign(outcome.url);
    } else {
      toCommitment(outcome.kind === "done" ? outcome.data.id : outcome.operation.resource.id);
    }
  }

  /** A declined card leaves a reservation: its own page takes another card. */
  function followRefusal(error: unknown) {
    if (!(error instanceof RefusedByServer)) return;
    const { code, resource } = error.problem;
    if (code === "payment_declined" && resource) toCommitment(resource.id);
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once, when the step is shown
  useEffect(() => {
    const sent = unansweredCommit(campaign.id);
    if (sent === null || resumed.current) return;
    resumed.current = true;
    send(sent);
  }, []);

  const resuming = commit.isPending && resumed.current;
  return (
    <Section title={t("join.card")} note={t("join.charged", { amount: formatMoney(amount) })}>
      <Stack gap="large">
        {commit.isError ? <ProblemNotice error={commit.error} /> : null}
        {hasCode(commit.error, "terms_hash_stale") ? (
          <div>
            <Button onClick={onReadAgain}>{t("join.readAgain")}</Button>
          </div>
        ) : null}
        {ADDRESS_CODES.some((code) => hasCode(commit.error, code)) ? (
          <div>
            <Button onClick={onOtherAddress}>{t("join.otherAddress")}</Button>
          </div>
        ) : null}
        {commit.isPending ? (
          <Notice role="status">
            <p>{resuming ? t("join.resuming") : t("join.working")}</p>
          </Notice>
        ) : null}
        {resuming ? null : (
          <CardForm
            amount={amount}
            submitLabel={t("join.commitAmount", { amount: formatMoney(amount) })}
            busy={commit.isPending}
            onToken={(token) =>
              send({
                quantity,
                terms_hash: campaign.terms_hash,
                confirmation_token: token,
                ...(addressId === undefined ? {} : { address_id: addressId }),
              })
            }
          />
        )}
      </Stack>
    </Section>
  );
}
