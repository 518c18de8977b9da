import { useTranslation } from "react-i18next";
import classes from "@/shared/payment/CardForm.module.css";

/** Numbers of the processor's documented test cards; none of them is a real card. */
const TEST_CARDS = [
  ["4242 4242 4242 4242", "works"],
  ["4000 0025 0000 3155", "asks"],
  ["4000 0000 0000 0002", "declined"],
  ["4000 0000 0000 9995", "funds"],
] as const;

/** What each test card does, so that nobody has to look it up. */
export function TestCards() {
  const { t } = useTranslation();
  return (
    <div className={classes.testCards}>
      <p className={classes.testTitle}>{t("card.testTitle")}</p>
      <ul>
        {TEST_CARDS.map(([number, effect]) => (
          <li key={number}>
            <code>{number}</code> {t(`card.test.${effect}`)}
          </li>
        ))}
      </ul>
    </div>
  );
}
