import { useTranslation } from "react-i18next";
import type { Terms } from "@/api/types";
import { type Fact, Facts } from "@/shared/Facts";
import { formatBasisPoints, formatCount, formatMinor, formatMoment } from "@/shared/format";
import { Hash } from "@/shared/Hash";

interface TermsFactsProps {
  terms: Terms;
  /** None while the terms are being written: what is hashed is what was stored. */
  hash?: string;
}

/** The terms as people read them, each field of the hashed document, and the hash itself. */
export function TermsFacts({ terms, hash }: TermsFactsProps) {
  const { t } = useTranslation();
  const facts: Fact[] = [
    { label: t("campaign.target"), value: t("common.units", { count: terms.target_units }) },
    { label: t("campaign.capacity"), value: t("common.units", { count: terms.capacity_units }) },
    { label: t("campaign.perParticipant"), value: <UnitRange terms={terms} /> },
    {
      label: t("campaign.unitPrice"),
      value: formatMinor(BigInt(terms.unit_price_minor), terms.currency),
      note: t("campaigns.condition"),
    },
    {
      label: t("campaign.fee"),
      value: t("campaign.feeText", { percent: formatBasisPoints(terms.fee_basis_points) }),
    },
    { label: t("campaign.closeDate"), value: formatMoment(terms.close_at) },
    {
      label: t("campaign.deliveryDays"),
      value: t("campaign.days", { count: terms.delivery_window_days }),
    },
    { label: t("campaign.deliveryModel"), value: terms.delivery_model },
    { label: t("campaign.delivery"), value: terms.delivery_terms },
    { label: t("campaign.refund"), value: terms.refund_terms },
    ...(hash === undefined
      ? []
      : [
          {
            label: t("campaign.termsHash"),
            value: <Hash value={hash} />,
            note: t("campaign.termsHashText"),
          },
        ]),
  ];
  return <Facts facts={facts} />;
}

/** How many units one participant may commit to. */
export function UnitRange({ terms }: { terms: Terms }) {
  const { t } = useTranslation();
  const min = formatCount(terms.min_units);
  return terms.max_units === null || terms.max_units === undefined
    ? t("campaign.perParticipantFrom", { min })
    : t("campaign.perParticipantRange", { min, max: formatCount(terms.max_units) });
}
