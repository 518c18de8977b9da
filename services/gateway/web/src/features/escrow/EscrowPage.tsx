import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { TextLink } from "@/shared/links";
import { EscrowParts } from "./EscrowParts";
import { useEscrow } from "./queries";

/** A campaign's escrow, for whoever may see the campaign. */
export function EscrowPage() {
  const { t } = useTranslation();
  const { campaignId } = useParams({ from: "/campaigns/$campaignId/escrow" });
  const { data } = useEscrow(campaignId);
  return (
    <EscrowParts
      campaignId={campaignId}
      title={t("escrow.campaignTitle")}
      eyebrow={
        <TextLink to="/campaigns/$campaignId" params={{ campaignId }}>
          {data?.campaign_title ?? t("escrow.toCampaign")}
        </TextLink>
      }
    />
  );
}
