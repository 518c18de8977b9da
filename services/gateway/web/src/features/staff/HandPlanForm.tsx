import { Button, NativeSelect, Textarea, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Campaign, Plan } from "@/api/types";
import { DataTable } from "@/shared/DataTable";
import { formatMoment, formatMoney } from "@/shared/format";
import { showFieldErrors } from "@/shared/forms";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { HandLines } from "./HandLines";
import {
  HAND_KINDS,
  HAND_RULES,
  type HandKind,
  minorOf,
  type ReasonCode,
  type SumLine,
  sumsOf,
  targetsOf,
} from "./hand";
import { useMakePlan } from "./queries";
import classes from "./Staff.module.css";

interface HandPlanFormProps {
  campaign: Campaign;
  plans: readonly Plan[];
}

interface Fields {
  kind: HandKind;
  reason_code: ReasonCode;
  reason: string;
  evidence: string;
  target_plan_id: string;
  target_position: string;
}

/** An act on money by hand: what, for whom, why, by what evidence. Its submission is the first of two approvals. */
export function HandPlanForm({ campaign, plans }: HandPlanFormProps) {
  const { t } = useTranslation();
  const make = useMakePlan(campaign.id);
  const [amounts, setAmounts] = useState<Record<string, string>>({});
  const form = useForm<Fields>({
    defaultValues: {
      kind: "manual_refund",
      reason_code: "quality_issue",
      reason: "",
      evidence: "",
      target_plan_id: "",
      target_position: "",
    },
  });
  const kind = form.watch("kind");
  const rule = HAND_RULES[kind];
  const { currency } = campaign.money.held;
  const lines = rule.lines ? linesOf(amounts, currency) : [];
  const total = { amount: lines.reduce((sum, line) => sum + line.amount.amount, 0), currency };

  const submit = form.handleSubmit((fields) =>
    make.mutate(
      {
        kind,
        reason: fields.reason.trim(),
        reason_code: rule.reasons.includes(fields.reason_code)
          ? fields.reason_code
          : (rule.reasons[0] ?? null),
        evidence: fields.evidence.split(/\s+/).filter((each) => each !== ""),
        lines,
        target_plan_id: rule.target === "plan" ? fields.target_plan_id || null : null,
        target_position: rule.target === "position" ? Number(fields.target_position) || null : null,
      },
      {
        onSuccess: () => setAmounts({}),
        onError: (error) => showFieldErrors(error, ["reason", "evidence"], form.setError),
      },
    ),
  );

  return (
    <details>
      <summary>{t("hand.title")}</summary>
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        <div>
          <Title order={3}>{t("hand.title")}</Title>
          <p>{t("hand.text")}</p>
        </div>
        {make.isError ? <ProblemNotice error={make.error} /> : null}
        <NativeSelect
          label={t("plan.kind")}
          description={t(`hand.note.${kind}`)}
          data={HAND_KINDS.map((each) => ({ value: each, label: t(`hand.kind.${each}`) }))}
          {...form.register("kind")}
        />
        <NativeSelect
          label={t("hand.reasonCode")}
          data={rule.reasons.map((each) => ({ value: each, label: t(`hand.reason.${each}`) }))}
          {...form.register("reason_code")}
        />
        {rule.target === "plan" ? (
          <NativeSelect
            label={t("hand.targetPlan")}
            data={[
              { value: "", label: t("hand.choose") },
              ...targetsOf(kind, plans).map((plan) => ({
                value: plan.id,
                label: `${plan.kind_words}, ${formatMoment(plan.submitted_at)}, ${formatMoney(plan.net)}`,
              })),
            ]}
            {...form.register("target_plan_id")}
          />
        ) : null}
        {rule.target === "position" ? (
          <TextInput
            label={t("hand.targetPosition")}
            inputMode="numeric"
            {...form.register("target_position")}
          />
        ) : null}
        {rule.lines ? (
          <HandLines campaignId={campaign.id} amounts={amounts} onChange={setAmounts} />
        ) : null}
        <TextInput
          label={t("hand.evidence")}
          description={t("hand.evidenceNote")}
          error={form.formState.errors.evidence?.message}
          {...form.register("evidence", {
            validate: (text) => text.trim() !== "" || t("hand.needEvidence"),
          })}
        />
        <Textarea
          label={t("hand.words")}
          rows={3}
          error={form.formState.errors.reason?.message}
          {...form.register("reason", {
            validate: (text) => text.trim() !== "" || t("plan.needReason"),
          })}
        />
        {lines.length > 0 ? (
          <Notice>
            <p>
              {t("hand.preview", { count: lines.length, total: formatMoney(total) })}{" "}
              {t("hand.previewNote")}
            </p>
            <SumsPreview lines={sumsOf(kind, total, campaign.money)} />
          </Notice>
        ) : null}
        <Button type="submit" loading={make.isPending}>
          {t("hand.submit")}
        </Button>
      </form>
    </details>
  );
}

/** The campaign's sums before and after, ahead of the submission. */
function SumsPreview({ lines }: { lines: readonly SumLine[] }) {
  const { t } = useTranslation();
  if (lines.length === 0) return null;
  return (
    <DataTable
      caption={t("hand.previewTitle")}
      rows={lines}
      rowKey={(line) => line.sum}
      columns={[
        { label: t("plan.account"), cell: (line) => t(`hand.sum.${line.sum}`) },
        { label: t("plan.before"), cell: (line) => formatMoney(line.before), numeric: true },
        { label: t("plan.movement"), cell: (line) => formatMoney(line.movement), numeric: true },
        { label: t("plan.after"), cell: (line) => formatMoney(line.after), numeric: true },
      ]}
    />
  );
}

function linesOf(amounts: Record<string, string>, currency: string) {
  return Object.entries(amounts).flatMap(([commitment_id, text]) => {
    const amount = minorOf(text);
    return amount === null ? [] : [{ commitment_id, amount: { amount, currency } }];
  });
}
