import { useTranslation } from "react-i18next";
import type { Progress } from "@/api/types";
import { Facts } from "@/shared/Facts";
import { formatCount } from "@/shared/format";
import { ProgressRing } from "@/shared/ProgressRing";
import { Section } from "@/shared/Section";
import classes from "./CampaignPage.module.css";
import { POLL_MILLISECONDS } from "./live";

const RING_SIZE = 168;

/** The exact figures; how they arrive is said, so that nobody takes old ones for new ones. */
export function ProgressSection({ progress, live }: { progress: Progress; live: boolean }) {
  const { t } = useTranslation();
  const source = live
    ? t("campaign.live")
    : t("campaign.polling", { seconds: POLL_MILLISECONDS / 1000 });
  return (
    <Section
      title={t("campaign.progress")}
      aside={<span className={classes.source}>{source}</span>}
    >
      <div className={classes.progress}>
        <ProgressRing progress={progress} size={RING_SIZE} />
        <div className={classes.progressFacts}>
          <p className={classes.statement} role="status">
            <TargetStatement progress={progress} />
          </p>
          <Facts
            facts={[
              {
                label: t("campaign.held"),
                value: t("common.units", { count: progress.held_units }),
                note: t("campaign.heldNote"),
              },
              {
                label: t("campaign.reserved"),
                value: t("common.units", { count: progress.reserved_units }),
                note: t("campaign.reservedNote"),
              },
              {
                label: t("campaign.left"),
                value: t("common.units", { count: progress.units_left }),
              },
              {
                label: t("campaign.commitments"),
                value: formatCount(progress.held_commitments),
              },
            ]}
          />
        </div>
      </div>
    </Section>
  );
}

function TargetStatement({ progress }: { progress: Progress }) {
  const { t } = useTranslation();
  if (progress.target_reached) return t("campaign.targetReached");
  if (!progress.joining) return t("campaign.targetMissed");
  return t("campaign.targetMissing", { count: progress.target_units - progress.held_units });
}
