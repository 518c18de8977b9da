import { useTranslation } from "react-i18next";
import { EscrowParts } from "./EscrowParts";

/** The whole platform's escrow, for everybody. */
export function PlatformEscrowPage() {
  const { t } = useTranslation();
  return <EscrowParts campaignId={null} title={t("escrow.title")} />;
}
