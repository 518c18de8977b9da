import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import {
  ALERT_KINDS,
  ALERT_STATES,
  type AlertKind,
  type AlertValues,
  FIGURES,
  ruleOf,
} from "./alerts";
import classes from "./Kit.module.css";
import { useAlertCampaigns, useSetAlert } from "./queries";

const EMPTY: AlertValues = {
  kind: "target_percent",
  campaign_id: "",
  figure: String(FIGURES.target_percent.first),
  state: "TARGET_ACHIEVED",
};

/** Choose what to be told of. */
export function AlertForm() {
  const { t } = useTranslation();
  const set = useSetAlert();
  const campaigns = useAlertCampaigns();
  const form = useForm<AlertValues>({ defaultValues: EMPTY });
  const kind = form.watch("kind");
  const errors = form.formState.errors;

  const submit = form.handleSubmit((values) =>
    set.mutate({ rule: ruleOf(values) }, { onSuccess: () => form.reset(EMPTY) }),
  );
  const chooseKind = (chosen: AlertKind) => {
    form.setValue("kind", chosen);
    if (chosen !== "campaign_state") form.setValue("figure", String(FIGURES[chosen].first));
  };

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
      {set.isError ? <ProblemNotice error={set.error} /> : null}
      {set.data?.kind === "running" ? (
        <Notice role="status" title={t("kit.alert.running")} />
      ) : null}
      <NativeSelect
        label={t("kit.alert.kind")}
        data={ALERT_KINDS.map((each) => ({ value: each, label: t(`kit.alert.kinds.${each}`) }))}
        value={kind}
        onChange={(event) => chooseKind(event.currentTarget.value as AlertKind)}
      />
      {kind === "refund_unsettled" ? null : (
        <NativeSelect
          label={t("kit.alert.campaign")}
          error={errors.campaign_id?.message}
          data={[
            { value: "", label: t("kit.alert.choose") },
            ...(campaigns.data ?? []).map(({ id, title }) => ({ value: id, label: title })),
          ]}
          {...form.register("campaign_id", {
            validate: (value, { kind: chosen }) =>
              chosen === "refund_unsettled" || value !== "" || t("kit.alert.campaignNeeded"),
          })}
        />
      )}
      {kind === "campaign_state" ? (
        <NativeSelect
          label={t("kit.alert.state")}
          data={ALERT_STATES.map((each) => ({ value: each, label: t(`kit.alert.states.${each}`) }))}
          {...form.register("state")}
        />
      ) : (
        <TextInput
          inputMode="numeric"
          label={t(`kit.alert.figure.${kind}`)}
          error={errors.figure?.message}
          {...form.register("figure", {
            validate: (value, { kind: chosen }) => {
              if (chosen === "campaign_state") return true;
              const { max } = FIGURES[chosen];
              const whole = /^\d{1,3}$/.test(value.trim()) ? Number(value) : 0;
              return (whole >= 1 && whole <= max) || t("kit.alert.figureNeeded", { max });
            },
          })}
        />
      )}
      <div>
        <Button type="submit" loading={set.isPending}>
          {t("kit.alert.make")}
        </Button>
      </div>
    </form>
  );
}
