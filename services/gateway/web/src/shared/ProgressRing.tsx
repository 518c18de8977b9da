import { useTranslation } from "react-i18next";
import type { Progress } from "@/api/types";
import { formatCount } from "@/shared/format";
import classes from "./ProgressRing.module.css";

const BOX = 120;
const STROKE = 10;
const RADIUS = (BOX - STROKE) / 2;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;

interface ProgressRingProps {
  progress: Progress;
  size: number;
}

/** Held units as a share of the target; reserved units drawn lighter behind them. Exact, no rounding up. */
export function ProgressRing({ progress, size }: ProgressRingProps) {
  const { t } = useTranslation();
  const held = share(progress.held_units, progress.target_units);
  const reserved = share(progress.held_units + progress.reserved_units, progress.target_units);
  const label = t("campaign.ringLabel", {
    held: formatCount(progress.held_units),
    target: formatCount(progress.target_units),
    reserved: formatCount(progress.reserved_units),
  });
  return (
    <svg
      className={classes.ring}
      width={size}
      height={size}
      viewBox={`0 0 ${BOX} ${BOX}`}
      role="img"
      aria-label={label}
    >
      <Arc className={classes.track} share={1} />
      <Arc className={classes.reserved} share={reserved} />
      <Arc className={classes.held} share={held} />
      <text className={classes.figure} x="50%" y="50%" dy="0.02em" textAnchor="middle">
        {formatCount(progress.held_units)}
      </text>
      <text className={classes.of} x="50%" y="50%" dy="1.6em" textAnchor="middle">
        {t("campaign.ringOf", { target: formatCount(progress.target_units) })}
      </text>
    </svg>
  );
}

function Arc({ className, share: part }: { className: string | undefined; share: number }) {
  return (
    <circle
      className={className}
      cx={BOX / 2}
      cy={BOX / 2}
      r={RADIUS}
      fill="none"
      strokeWidth={STROKE}
      strokeDasharray={`${part * CIRCUMFERENCE} ${CIRCUMFERENCE}`}
      transform={`rotate(-90 ${BOX / 2} ${BOX / 2})`}
    />
  );
}

function share(units: number, target: number): number {
  return target <= 0 ? 0 : Math.min(1, Math.max(0, units / target));
}
