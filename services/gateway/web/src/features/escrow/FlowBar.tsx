import { useTranslation } from "react-i18next";
import type { Flows } from "@/api/types";
import { formatMoney } from "@/shared/format";
import classes from "./Escrow.module.css";
import { sharesOf } from "./flows";

const HEIGHT = 28;
const WIDTH = 1000;

/** What came in, and where it is now, as one bar; the figures below say the same. */
export function FlowBar({ sums }: { sums: Flows }) {
  const { t } = useTranslation();
  const shares = sharesOf(sums);
  if (shares.length === 0) return null;
  const words = shares
    .map(({ name, money }) => `${t(`escrow.${name}`)} ${formatMoney(money)}`)
    .join(", ");
  return (
    <svg
      className={classes.bar}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={t("escrow.barLabel", { words })}
    >
      {shares.map(({ name, from, width }) => (
        <rect
          key={name}
          className={classes.part}
          data-part={name}
          x={from * WIDTH}
          y={0}
          width={width * WIDTH}
          height={HEIGHT}
        />
      ))}
    </svg>
  );
}
