import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { useCampaign } from "@/shared/campaign";
import { Loaded } from "@/shared/Loaded";
import { Notice } from "@/shared/Notice";
import { Page } from "@/shared/Page";
import { Section } from "@/shared/Section";
import { StateWord, toneOf } from "@/shared/StateWord";
import { TermsFacts } from "@/shared/TermsFacts";
import { TrustPanel } from "@/shared/TrustPanel";
import classes from "./CampaignPage.module.css";
import { DescriptionSection } from "./DescriptionSection";
import { EscrowSection } from "./EscrowSection";
import { FeesSection } from "./FeesSection";
import { JoinBox } from "./JoinBox";
import { POLL_MILLISECONDS, useLiveProgress } from "./live";
import { MineBox } from "./MineBox";
import { ProgressSection } from "./ProgressSection";
import { TargetSection } from "./TargetSection";
import { TimelineSection } from "./TimelineSection";
import { WrongSection } from "./WrongSection";

/** A campaign: target, progress, escrow, timeline, terms, what can go wrong, description. */
export function CampaignPage() {
  const { campaignId } = useParams({ from: "/campaigns/$campaignId" });
  const mode = useLiveProgress(campaignId);
  const campaign = useCampaign(
    campaignId,
    mode === "polling" ? { pollMilliseconds: POLL_MILLISECONDS } : {},
  );
  return (
    <Loaded query={campaign} blocks={4}>
      {(data) => <CampaignParts campaign={data} live={mode === "stream"} />}
    </Loaded>
  );
}

function CampaignParts({ campaign, live }: { campaign: Campaign; live: boolean }) {
  const { t } = useTranslation();
  const state = campaign.progress.state;
  return (
    <Page
      title={campaign.title}
      eyebrow={<StateWord words={campaign.progress.state_words} tone={toneOf(state)} />}
      lead={campaign.state_explained}
    >
      <div className={classes.notices}>
        {campaign.frozen ? <Notice tone="trouble" title={t("campaign.frozen")} /> : null}
        {campaign.stale ? <Notice title={t("campaign.stale")} /> : null}
      </div>
      <div className={classes.grid}>
        <div className={classes.first}>
          <TargetSection campaign={campaign} />
          <ProgressSection progress={campaign.progress} live={live} />
          <EscrowSection campaign={campaign} />
        </div>
        <div className={classes.side}>
          <JoinBox campaign={campaign} />
          <MineBox campaignId={campaign.id} />
          <TrustPanel />
        </div>
        <div className={classes.rest}>
          <TimelineSection campaign={campaign} />
          <Section title={t("campaign.terms")}>
            <TermsFacts terms={campaign.terms} hash={campaign.terms_hash} />
          </Section>
          <FeesSection campaignId={campaign.id} />
          <WrongSection campaign={campaign} />
          <DescriptionSection product={campaign.product} />
        </div>
      </div>
    </Page>
  );
}
