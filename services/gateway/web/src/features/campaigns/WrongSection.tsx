import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { Section } from "@/shared/Section";
import classes from "./CampaignPage.module.css";

/** Every ending besides completion, with the weight of everything else on the page. */
export function WrongSection({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  return (
    <Section title={t("campaign.wrong")} note={t("campaign.wrongText")} tone="caution">
      <ul className={classes.list}>
        {campaign.what_happens_if.map((ending) => (
          <li key={ending.case}>{ending.words}</li>
        ))}
        {campaign.constraints.map((constraint) => (
          <li key={constraint}>
            {t("campaign.constraints")}: {constraint}
          </li>
        ))}
      </ul>
    </Section>
  );
}
