import { useTranslation } from "react-i18next";
import type { AlertRule } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { AlertForm } from "./AlertForm";
import classes from "./Kit.module.css";
import { useAlerts, useRemoveAlert } from "./queries";

/** Set a rule, see which ones there are and what became of them, remove those that wait. */
export function AlertSection() {
  const { t } = useTranslation();
  const alerts = useAlerts();
  return (
    <Section title={t("kit.alert.title")} note={t("kit.alert.note")}>
      <Stack gap="large">
        <p>{t("kit.alert.already")}</p>
        <AlertForm />
        <Loaded query={alerts}>
          {(all) =>
            all.length === 0 ? (
              <EmptyNote title={t("kit.alert.none")} />
            ) : (
              <ul className={classes.lines} aria-label={t("kit.alert.all")}>
                {all.map((alert) => (
                  <AlertLine key={alert.id} alert={alert} />
                ))}
              </ul>
            )
          }
        </Loaded>
      </Stack>
    </Section>
  );
}

function AlertLine({ alert }: { alert: AlertRule }) {
  const { t } = useTranslation();
  const remove = useRemoveAlert(alert.id);
  const name = useRuleWords(alert);
  return (
    <li className={classes.line}>
      <div>
        <p>{name}</p>
        <p className={classes.small}>
          {alert.words}{" "}
          {alert.fired_at === null
            ? t("kit.alert.since", { moment: formatMoment(alert.set_at) })
            : t("kit.alert.fired", { moment: formatMoment(alert.fired_at), count: alert.firings })}
        </p>
        {remove.isError ? <ProblemNotice error={remove.error} /> : null}
      </div>
      {alert.state === "waiting" ? (
        <ConfirmAct
          label={t("kit.alert.removeNamed", { name })}
          question={t("kit.alert.removeQuestion")}
          confirmLabel={t("kit.alert.remove")}
          tone="ending"
          busy={remove.isPending}
          onConfirm={() => remove.mutate({})}
        />
      ) : null}
    </li>
  );
}

/** One sentence for what a rule waits for. */
function useRuleWords({ rule, campaign_title }: AlertRule): string {
  const { t } = useTranslation();
  const title = campaign_title ?? "";
  switch (rule.kind) {
    case "target_percent":
      return t("kit.alert.rule.target_percent", { title, percent: rule.percent });
    case "closes_within":
      return t("kit.alert.rule.closes_within", { title, count: rule.days });
    case "campaign_state":
      return t("kit.alert.rule.campaign_state", {
        title,
        state: t(`kit.alert.states.${rule.state}`),
      });
    case "refund_unsettled":
      return t("kit.alert.rule.refund_unsettled", { count: rule.hours });
  }
}
