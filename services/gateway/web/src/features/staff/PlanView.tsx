import { Button, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Account, Plan } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { Facts } from "@/shared/Facts";
import { formatMoment, formatMoney, shortId } from "@/shared/format";
import { Hash } from "@/shared/Hash";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import { PlanConditions } from "./PlanConditions";
import { PlanFigures } from "./PlanFigures";
import { PlanLines } from "./PlanLines";
import { useApprove, useRetryTransfer, useTakeBack } from "./queries";
import classes from "./Staff.module.css";

interface PlanViewProps {
  plan: Plan;
  account: Account;
}

/** A plan: conditions, figures, who made it, and its approval by somebody else. */
export function PlanView({ plan, account }: PlanViewProps) {
  const { t } = useTranslation();
  const nameOf = (id: string | null) =>
    id === null ? t("plan.nobody") : id === account.subject_id ? t("plan.you") : shortId(id);
  return (
    <article className={classes.plan}>
      <div className={classes.caseHead}>
        <Title order={3}>
          {t("plan.heading", {
            kind: plan.kind_words,
            moment: formatMoment(plan.submitted_at),
          })}
        </Title>
        <StateWord words={plan.state_words} tone={toneOf(plan.state)} />
      </div>
      <PlanConditions plan={plan} />
      <PlanFigures plan={plan} />
      <PlanLines plan={plan} />
      <Facts
        facts={[
          { label: t("plan.reason"), value: plan.reason },
          { label: t("staffCampaign.lines"), value: t("plan.lines", { count: plan.line_count }) },
          { label: t("plan.maker"), value: nameOf(plan.maker_id) },
          { label: t("plan.approver"), value: nameOf(plan.approver_id) },
          ...(plan.evidence.length > 0
            ? [{ label: t("hand.evidence"), value: plan.evidence.join(", ") }]
            : []),
          ...(plan.progress.applied + plan.progress.failed > 0
            ? [{ label: t("plan.progress"), value: t("plan.progressText", plan.progress) }]
            : []),
          { label: t("plan.hash"), value: <Hash value={plan.plan_hash} /> },
        ]}
      />
      {plan.transfer !== null ? <p>{t("plan.transfer", { id: plan.transfer.id })}</p> : null}
      {account.role === "escrow_auditor" ? <Acts plan={plan} account={account} /> : null}
    </article>
  );
}

function Acts({ plan, account }: { plan: Plan; account: Account }) {
  if (plan.state === "SUBMITTED") return <Approval plan={plan} account={account} />;
  return plan.refused_code === null || plan.state !== "SENDING" ? null : (
    <Retry plan={plan} code={plan.refused_code} />
  );
}

function Approval({ plan, account }: { plan: Plan; account: Account }) {
  const { t } = useTranslation();
  const approve = useApprove(plan.id);
  if (plan.maker_id === account.subject_id) return <TakeBack plan={plan} />;
  return (
    <Stack>
      {approve.isError ? <ProblemNotice error={approve.error} /> : null}
      <ConfirmAct
        label={t("plan.approve")}
        question={t(isRelease(plan) ? "plan.approveQuestion" : "hand.approveQuestion", {
          net: formatMoney(plan.net),
          kind: plan.kind_words,
        })}
        busy={approve.isPending}
        onConfirm={() => approve.mutate({ plan_hash: plan.plan_hash })}
      />
    </Stack>
  );
}

function TakeBack({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  const takeBack = useTakeBack(plan.id);
  return (
    <Stack>
      <Notice>
        <p>{t("plan.approveOwn")}</p>
      </Notice>
      {takeBack.isError ? <ProblemNotice error={takeBack.error} /> : null}
      <ConfirmAct
        label={t("plan.takeBack")}
        question={t("plan.takeBackQuestion", { kind: plan.kind_words })}
        tone="ending"
        busy={takeBack.isPending}
        onConfirm={() => takeBack.mutate({})}
      />
    </Stack>
  );
}

function isRelease(plan: Plan): boolean {
  return plan.kind === "release" || plan.kind === "reserve_release";
}

function Retry({ plan, code }: { plan: Plan; code: string }) {
  const { t } = useTranslation();
  const retry = useRetryTransfer(plan.id);
  return (
    <Stack>
      <Notice tone="trouble">
        <p>{t("plan.refused", { code })}</p>
      </Notice>
      {retry.isError ? <ProblemNotice error={retry.error} /> : null}
      <div>
        <Button loading={retry.isPending} onClick={() => retry.mutate({})}>
          {t("plan.retry")}
        </Button>
      </div>
    </Stack>
  );
}
