import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { formatMoment } from "@/shared/format";
import { Section } from "@/shared/Section";
import { Steps } from "@/shared/Steps";
import { type StepName, timelineOf } from "./timeline";

export function TimelineSection({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();

  function noteOf(name: StepName, now: boolean): string | undefined {
    const { acceptance, opened_at: openedAt } = campaign;
    if (name === "opened" && openedAt !== null) return formatMoment(openedAt);
    if (name === "target") {
      return `${t("campaign.step.close")}: ${formatMoment(campaign.close_at)}`;
    }
    if (name === "acceptance" && acceptance?.opens_at && acceptance.closes_at) {
      const from = formatMoment(acceptance.opens_at);
      return t("campaign.window", { from, to: formatMoment(acceptance.closes_at) });
    }
    if (name === "fulfillment") {
      return t("campaign.deliveryWindow", { days: campaign.terms.delivery_window_days });
    }
    return now ? t("campaign.since", { moment: formatMoment(campaign.state_since) }) : undefined;
  }

  const steps = timelineOf(campaign).map(({ name, state }) => ({
    id: name,
    title: name === "closed" ? campaign.progress.state_words : t(`campaign.step.${name}`),
    state,
    note: noteOf(name, state === "now"),
  }));
  return (
    <Section title={t("campaign.timeline")}>
      <Steps steps={steps} />
    </Section>
  );
}
