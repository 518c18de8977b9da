import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { RailWords } from "@/shared/RailWords";
import classes from "./HowItWorks.module.css";

const STEPS = ["join", "held", "accept", "end"] as const;

/** The way of the money in four steps, the worst ending among them. */
export function HowItWorks() {
  const { t } = useTranslation();
  return (
    <section aria-labelledby="how-it-works">
      <Title order={2} id="how-it-works" className={classes.title}>
        {t("campaigns.steps.title")}
      </Title>
      <ol className={classes.steps}>
        {STEPS.map((step, index) => (
          <li key={step} className={classes.step}>
            <span className={classes.number} aria-hidden="true">
              {index + 1}
            </span>
            <span className={classes.name}>{t(`campaigns.steps.${step}`)}</span>
            <span className={classes.text}>{t(`campaigns.steps.${step}Text`)}</span>
          </li>
        ))}
      </ol>
      <div className={classes.rail}>
        <RailWords />
      </div>
    </section>
  );
}
