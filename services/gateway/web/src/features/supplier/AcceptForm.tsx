import { Checkbox } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Invitation } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { useAccept } from "./queries";
import classes from "./Supplier.module.css";

/** Acceptance: explicit, of the exact hash that is shown. */
export function AcceptForm({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation();
  const accept = useAccept(invitation.id);
  const form = useForm({ defaultValues: { consent: false } });
  return (
    <Section title={t("invitation.acceptTitle")}>
      <div className={classes.form}>
        {accept.isError ? <ProblemNotice error={accept.error} /> : null}
        <Checkbox
          label={t("invitation.acceptConsent", {
            hash: invitation.terms_hash,
            units: t("common.units", { count: invitation.units }),
          })}
          styles={{ label: { overflowWrap: "anywhere" } }}
          error={form.formState.errors.consent?.message}
          {...form.register("consent", {
            validate: (given) => given || t("invitation.acceptConsentNeeded"),
          })}
        />
        <ConfirmAct
          label={t("invitation.accept")}
          question={t("invitation.acceptQuestion")}
          busy={accept.isPending}
          mayAsk={() => form.trigger()}
          onConfirm={() => accept.mutate({ terms_hash: invitation.terms_hash })}
        />
      </div>
    </Section>
  );
}
