import { Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { CampaignSummary } from "@/api/types";
import { formatCount, formatMoment, formatMoney } from "@/shared/format";
import { ProgressRing } from "@/shared/ProgressRing";
import { StateWord, toneOf } from "@/shared/StateWord";
import classes from "./CampaignCard.module.css";

const RING_SIZE = 96;

/** A campaign in the list: state, exact progress, price with its condition, close date. */
export function CampaignCard({ campaign }: { campaign: CampaignSummary }) {
  const { t } = useTranslation();
  const { progress } = campaign;
  return (
    <article className={classes.card}>
      <div className={classes.words}>
        <StateWord words={campaign.state_words} tone={toneOf(campaign.state)} />
        <span className={classes.category}>{campaign.category}</span>
      </div>
      <Title order={2} className={classes.title}>
        <Link
          to="/campaigns/$campaignId"
          params={{ campaignId: campaign.id }}
          className={classes.link}
        >
          {campaign.title}
        </Link>
      </Title>
      <div className={classes.middle}>
        <ProgressRing progress={progress} size={RING_SIZE} />
        <div className={classes.price}>
          <p className={classes.amount}>
            {formatMoney(campaign.unit_price)}{" "}
            <span className={classes.unit}>{t("campaigns.perUnit")}</span>
          </p>
          <p className={classes.small}>{t("campaigns.condition")}</p>
        </div>
      </div>
      <div className={classes.foot}>
        <span>
          {t("campaigns.committed", {
            held: formatCount(progress.held_units),
            target: formatCount(progress.target_units),
          })}
        </span>
        <span>
          {campaign.joining
            ? t("campaigns.closes", { moment: formatMoment(campaign.close_at) })
            : t("campaigns.closed")}
        </span>
        {campaign.frozen ? <span>{t("campaigns.frozen")}</span> : null}
        {campaign.stale ? <span>{t("campaigns.stale")}</span> : null}
      </div>
    </article>
  );
}
