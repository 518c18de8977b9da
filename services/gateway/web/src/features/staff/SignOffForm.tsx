import { Textarea } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Campaign, Role } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { Fields } from "@/shared/Form";
import { formatMoney } from "@/shared/format";
import { showFieldErrors } from "@/shared/forms";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { useSignOff } from "./queries";

const SIGNING = ["operations", "escrow_auditor", "trust_reviewer"] as const;
type Signing = (typeof SIGNING)[number];

interface SignOffFormProps {
  campaign: Campaign;
  actor: Role;
}

/** One of the three sign-offs that fulfillment was not completed. */
export function SignOffForm({ campaign, actor }: SignOffFormProps) {
  const { t } = useTranslation();
  const mine = SIGNING.find((signing) => signing === actor);
  const missing = campaign.staff?.missing_sign_offs ?? [];
  const names = missing.map((name) => t(`role.${name as Signing}`)).join(", ");
  return (
    <Fields width="wide">
      {names === "" ? null : <p>{t("staffCampaign.signOffMissing", { roles: names })}</p>}
      {mine === undefined ? null : <Reason campaign={campaign} signing={mine} />}
    </Fields>
  );
}

function Reason({ campaign, signing }: { campaign: Campaign; signing: Signing }) {
  const { t } = useTranslation();
  const signOff = useSignOff(campaign.id);
  const form = useForm<{ reason: string }>({ defaultValues: { reason: "" } });

  function send() {
    signOff.mutate(
      { role: signing, reason: form.getValues("reason").trim() },
      { onError: (error) => showFieldErrors(error, ["reason"], form.setError) },
    );
  }

  return (
    <>
      {signOff.isError ? <ProblemNotice error={signOff.error} /> : null}
      <Textarea
        label={t("staffCampaign.signOffReason")}
        autosize
        minRows={2}
        error={form.formState.errors.reason?.message}
        {...form.register("reason", {
          validate: (text) => text.trim() !== "" || t("staffCampaign.needReason"),
        })}
      />
      <ConfirmAct
        label={t("staffCampaign.signOffSend", { role: t(`role.${signing}`) })}
        question={t("staffCampaign.signOffQuestion", {
          count: campaign.progress.held_commitments,
          amount: formatMoney(campaign.money.held),
        })}
        tone="ending"
        busy={signOff.isPending}
        mayAsk={() => form.trigger()}
        onConfirm={send}
      />
    </>
  );
}
