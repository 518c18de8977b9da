import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { Facts } from "@/shared/Facts";
import { formatCount, formatMoney } from "@/shared/format";
import { Section } from "@/shared/Section";
import { UnitRange } from "@/shared/TermsFacts";

export function TargetSection({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const { progress, terms } = campaign;
  return (
    <Section title={t("campaign.target")} note={t("campaign.targetText")}>
      <Facts
        look="figures"
        facts={[
          {
            label: t("campaign.target"),
            value: t("common.units", { count: progress.target_units }),
          },
          { label: t("campaign.capacity"), value: formatCount(progress.capacity_units) },
          { label: t("campaign.unitPrice"), value: formatMoney(campaign.unit_price) },
          { label: t("campaign.perParticipant"), value: <UnitRange terms={terms} /> },
        ]}
      />
    </Section>
  );
}
