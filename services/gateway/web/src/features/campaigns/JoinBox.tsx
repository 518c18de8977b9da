import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { formatMoment, formatMoney } from "@/shared/format";
import { ButtonLink, TextLink } from "@/shared/links";
import { isStaff, useSession } from "@/shared/session";
import classes from "./CampaignPage.module.css";

/** The one act of the page: the price with its condition, the close date, and joining. */
export function JoinBox({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  return (
    <section className={classes.joinBox} aria-label={t("campaign.join")}>
      <p>
        <span className={classes.price}>{formatMoney(campaign.unit_price)}</span>{" "}
        <span className={classes.unit}>{t("campaigns.perUnit")}</span>
      </p>
      <p className={classes.small}>{t("campaigns.condition")}</p>
      <p className={classes.small}>
        {campaign.joining
          ? t("campaigns.closes", { moment: formatMoment(campaign.close_at) })
          : t("campaign.joinClosed")}
      </p>
      {campaign.joining_paused ? (
        <p className={classes.small}>{t("campaign.joiningPaused")}</p>
      ) : null}
      <JoinAct campaign={campaign} />
    </section>
  );
}

function JoinAct({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const { data: account } = useSession();
  const params = { campaignId: campaign.id };
  if (isStaff(account)) {
    return (
      <TextLink to="/staff/campaigns/$campaignId" params={params}>
        {t("campaign.staffPage")}
      </TextLink>
    );
  }
  const closed = !campaign.joining || campaign.joining_paused || campaign.frozen;
  if (closed || account === undefined) return null;
  if (account?.role === "supplier") {
    return <p className={classes.small}>{t("campaign.joinRole", { role: t("role.supplier") })}</p>;
  }
  return (
    <ButtonLink to="/campaigns/$campaignId/join" params={params} fullWidth>
      {t("campaign.join")}
    </ButtonLink>
  );
}
