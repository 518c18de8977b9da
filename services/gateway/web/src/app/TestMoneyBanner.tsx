import { useTranslation } from "react-i18next";
import classes from "@/app/Layout.module.css";
import { formatMoment } from "@/shared/format";
import { useConfig } from "@/shared/session";

/** On every page while the stack works with test money; also says when time is simulated. */
export function TestMoneyBanner() {
  const { t } = useTranslation();
  const { data: config } = useConfig();
  if (config === undefined || !config.test_money) return null;
  return (
    <aside className={classes.banner} aria-label={t("site.testMoneyLabel")}>
      <p>
        {t("site.testMoney")}
        {config.simulated_time ? (
          <span className={classes.clock}>
            {config.clock_moving
              ? t("site.clockMoving")
              : t("site.clock", { moment: formatMoment(config.stack_time) })}
          </span>
        ) : null}
      </p>
    </aside>
  );
}
