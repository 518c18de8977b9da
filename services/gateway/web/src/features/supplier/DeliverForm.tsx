import { Button, Textarea } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { showFieldErrors } from "@/shared/forms";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import type { ShipmentFormProps } from "./DispatchForm";
import { useDeliver } from "./queries";
import classes from "./Supplier.module.css";

export function DeliverForm({ campaignId, picked, onDone }: ShipmentFormProps) {
  const { t } = useTranslation();
  const deliver = useDeliver(campaignId);
  const form = useForm<{ evidence: string }>({ defaultValues: { evidence: "" } });

  const submit = form.handleSubmit(({ evidence }) => {
    if (picked.length === 0) {
      form.setError("root", { message: t("fulfillment.needChoice") });
      return;
    }
    deliver.mutate(
      { commitment_ids: picked.map(({ id }) => id), evidence: evidence.trim() },
      {
        onSuccess: () => {
          form.reset();
          onDone();
        },
        onError: (error) => showFieldErrors(error, ["evidence"], form.setError),
      },
    );
  });

  return (
    <Section title={t("fulfillment.deliverTitle")}>
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        {form.formState.errors.root ? (
          <Notice tone="trouble" role="alert" title={form.formState.errors.root.message ?? ""} />
        ) : null}
        {deliver.isError ? <ProblemNotice error={deliver.error} /> : null}
        <Textarea
          label={t("fulfillment.deliverEvidence")}
          description={t("fulfillment.deliverEvidenceHint")}
          autosize
          minRows={2}
          error={form.formState.errors.evidence?.message}
          {...form.register("evidence", {
            validate: (text) => text.trim() !== "" || t("fulfillment.deliverNeeded"),
          })}
        />
        <Button type="submit" loading={deliver.isPending}>
          {t("fulfillment.deliver")}
        </Button>
      </form>
    </Section>
  );
}
