import { Textarea } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { showFieldErrors } from "@/shared/forms";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { useDecline } from "./queries";
import classes from "./Supplier.module.css";

export function DeclineForm({ invitationId }: { invitationId: string }) {
  const { t } = useTranslation();
  const decline = useDecline(invitationId);
  const form = useForm<{ reason: string }>({ defaultValues: { reason: "" } });

  function send() {
    decline.mutate(
      { reason: form.getValues("reason").trim() },
      { onError: (error) => showFieldErrors(error, ["reason"], form.setError) },
    );
  }

  return (
    <Section title={t("invitation.declineTitle")} note={t("invitation.declineText")}>
      <div className={classes.form}>
        {decline.isError ? <ProblemNotice error={decline.error} /> : null}
        <Textarea
          label={t("invitation.declineReason")}
          description={t("invitation.declineReasonHint")}
          autosize
          minRows={2}
          error={form.formState.errors.reason?.message}
          {...form.register("reason", {
            validate: (text) => text.trim() !== "" || t("invitation.declineNeeded"),
          })}
        />
        <ConfirmAct
          label={t("invitation.declineAct")}
          question={t("invitation.declineQuestion")}
          tone="ending"
          busy={decline.isPending}
          mayAsk={() => form.trigger()}
          onConfirm={send}
        />
      </div>
    </Section>
  );
}
