import { useTranslation } from "react-i18next";
import { TextLink } from "@/shared/links";
import { Section } from "@/shared/Section";
import { useSession } from "@/shared/session";
import classes from "./CampaignPage.module.css";
import { useMineIn } from "./queries";

/** The participant's own commitments in this campaign, each with where its money is. */
export function MineBox({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const { data: account } = useSession();
  const { data: mine } = useMineIn(campaignId, account?.role === "participant");
  if (mine === undefined || mine.data.length === 0) return null;
  return (
    <Section title={t("campaign.mine")}>
      <ul className={classes.list}>
        {mine.data.map((commitment) => (
          <li key={commitment.id}>
            <TextLink to="/commitments/$commitmentId" params={{ commitmentId: commitment.id }}>
              {t("common.units", { count: commitment.quantity })}: {commitment.state_words}
            </TextLink>
            <p className={classes.small}>{commitment.money_now}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
