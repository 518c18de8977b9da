import { Button, Radio, Textarea } from "@mantine/core";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Issue, Role } from "@/api/types";
import { Form } from "@/shared/Form";
import { formatMoment, shortId } from "@/shared/format";
import { showFieldErrors } from "@/shared/forms";
import { TextLink } from "@/shared/links";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Small } from "@/shared/Small";
import { useDecideIssue } from "./queries";
import classes from "./Staff.module.css";

const DECIDING_ROLES: ReadonlySet<Role> = new Set(["operations", "trust_reviewer"]);

interface Values {
  verdict: "upheld" | "rejected" | "";
  reason: string;
}

/** A reported fault; those whose role decides can decide here. */
export function IssueLine({ issue, actor }: { issue: Issue; actor: Role }) {
  const { t } = useTranslation();
  const [deciding, setDeciding] = useState(false);
  return (
    <div className={classes.case}>
      <span>{issue.description ?? t("issue.noText")}</span>
      <Small inline>
        {t("issue.commitment", { id: shortId(issue.commitment_id) })} ·{" "}
        {t("issue.reported", { moment: formatMoment(issue.reported_at) })} ·{" "}
        <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: issue.campaign_id }}>
          {t("staffCampaign.public")}
        </TextLink>
      </Small>
      {DECIDING_ROLES.has(actor) && !deciding ? (
        <div>
          <Button variant="default" onClick={() => setDeciding(true)}>
            {t("issue.decide")}
          </Button>
        </div>
      ) : null}
      {deciding ? <DecisionForm issueId={issue.id} /> : null}
    </div>
  );
}

function DecisionForm({ issueId }: { issueId: string }) {
  const { t } = useTranslation();
  const decide = useDecideIssue(issueId);
  const form = useForm<Values>({ defaultValues: { verdict: "", reason: "" } });
  const { errors } = form.formState;

  const submit = form.handleSubmit(({ verdict, reason }) => {
    if (verdict === "") return;
    decide.mutate(
      { verdict, reason: reason.trim() },
      { onError: (error) => showFieldErrors(error, ["verdict", "reason"], form.setError) },
    );
  });

  return (
    <Form width="wide" onSubmit={(event) => void submit(event)}>
      {decide.isError ? <ProblemNotice error={decide.error} /> : null}
      <Controller
        control={form.control}
        name="verdict"
        rules={{ required: t("issue.needVerdict") }}
        render={({ field }) => (
          <Radio.Group label={t("issue.verdict")} error={errors.verdict?.message} {...field}>
            <Radio mt="xs" value="upheld" label={t("issue.upheld")} />
            <Radio mt="xs" value="rejected" label={t("issue.rejected")} />
          </Radio.Group>
        )}
      />
      <Textarea
        label={t("issue.reason")}
        autosize
        minRows={2}
        error={errors.reason?.message}
        {...form.register("reason", {
          validate: (text) => text.trim() !== "" || t("issue.needReason"),
        })}
      />
      <Button type="submit" loading={decide.isPending}>
        {t("issue.send")}
      </Button>
    </Form>
  );
}
