import { Title } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { RailWords } from "./RailWords";
import classes from "./TrustPanel.module.css";

const PARTS = ["escrow", "conditions", "refund", "supplier", "fails"] as const;

/** Beside every step near money, always open: escrow, conditions, refund rule, duty, failure. */
export function TrustPanel() {
  const { t } = useTranslation();
  const id = useId();
  return (
    <aside className={classes.panel} aria-labelledby={id}>
      <Title order={2} id={id} size="h3">
        {t("trust.title")}
      </Title>
      <dl className={classes.parts}>
        {PARTS.map((part) => (
          <div key={part}>
            <dt>{t(`trust.${part}`)}</dt>
            <dd>{t(`trust.${part}Text`)}</dd>
          </div>
        ))}
        <div>
          <dt>{t("rail.title")}</dt>
          <dd>
            <RailWords />
          </dd>
        </div>
      </dl>
    </aside>
  );
}
