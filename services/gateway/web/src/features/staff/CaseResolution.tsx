import { Textarea, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Case } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { Fields } from "@/shared/Form";
import { showFieldErrors } from "@/shared/forms";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { useResolveCase } from "./queries";

interface Answers {
  resolution: string;
  evidence: string;
}

/** What an escrow auditor found about a case that nothing closes by itself; a blocking one needs two of them. */
export function CaseResolution({ one }: { one: Case }) {
  const { t } = useTranslation();
  const resolve = useResolveCase(one.id);
  const form = useForm<Answers>({ defaultValues: { resolution: "", evidence: "" } });
  const closes = one.people_needed === 1 || one.asked_by !== null;

  function send() {
    const { resolution, evidence } = form.getValues();
    resolve.mutate(
      {
        resolution: resolution.trim(),
        evidence: evidence.split(/\s+/).filter((each) => each !== ""),
      },
      { onError: (error) => showFieldErrors(error, ["resolution", "evidence"], form.setError) },
    );
  }

  return (
    <details>
      <summary>{t("case.resolve")}</summary>
      <Fields width="wide">
        {resolve.isError ? <ProblemNotice error={resolve.error} /> : null}
        <Textarea
          label={t("case.found")}
          autosize
          minRows={2}
          error={form.formState.errors.resolution?.message}
          {...form.register("resolution", {
            validate: (text) => text.trim() !== "" || t("case.needFound"),
          })}
        />
        <TextInput
          label={t("hand.evidence")}
          description={t("hand.evidenceNote")}
          error={form.formState.errors.evidence?.message}
          {...form.register("evidence", {
            validate: (text) => text.trim() !== "" || t("hand.needEvidence"),
          })}
        />
        <ConfirmAct
          label={t(closes ? "case.close" : "case.ask")}
          question={t(one.blocking && closes ? "case.closeQuestion" : "case.question")}
          busy={resolve.isPending}
          mayAsk={() => form.trigger()}
          onConfirm={send}
        />
      </Fields>
    </details>
  );
}
