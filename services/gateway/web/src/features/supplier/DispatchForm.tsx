import { Button, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { CommitmentRow } from "@/api/types";
import { showFieldErrors } from "@/shared/forms";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { useDispatch } from "./queries";
import classes from "./Supplier.module.css";

export interface ShipmentFormProps {
  campaignId: string;
  picked: readonly CommitmentRow[];
  onDone: () => void;
}

export function DispatchForm({ campaignId, picked, onDone }: ShipmentFormProps) {
  const { t } = useTranslation();
  const dispatch = useDispatch(campaignId);
  const form = useForm<{ tracking: string }>({ defaultValues: { tracking: "" } });

  const submit = form.handleSubmit(({ tracking }) => {
    if (picked.length === 0) {
      form.setError("root", { message: t("fulfillment.needChoice") });
      return;
    }
    dispatch.mutate(
      { commitment_ids: picked.map(({ id }) => id), tracking: tracking.trim() || null },
      {
        onSuccess: () => {
          form.reset();
          onDone();
        },
        onError: (error) => showFieldErrors(error, ["tracking"], form.setError),
      },
    );
  });

  return (
    <Section title={t("fulfillment.dispatchTitle")}>
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        {form.formState.errors.root ? (
          <Notice tone="trouble" role="alert" title={form.formState.errors.root.message ?? ""} />
        ) : null}
        {dispatch.isError ? <ProblemNotice error={dispatch.error} /> : null}
        <TextInput
          label={t("fulfillment.dispatchTracking")}
          error={form.formState.errors.tracking?.message}
          {...form.register("tracking")}
        />
        <Button type="submit" loading={dispatch.isPending}>
          {t("fulfillment.dispatch")}
        </Button>
      </form>
    </Section>
  );
}
