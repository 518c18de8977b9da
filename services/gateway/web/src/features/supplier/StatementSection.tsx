import { useTranslation } from "react-i18next";
import { Downloads } from "@/shared/Downloads";
import { Section } from "@/shared/Section";

/** What was cleared, taken as fee and transferred, as a paper to keep. */
export function StatementSection({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const address = `/v1/campaigns/${campaignId}/supplier-statement`;
  return (
    <Section title={t("money.supplierStatement")} note={t("money.supplierStatementNote")}>
      <Downloads
        files={[
          { label: t("money.pdf"), href: `${address}?format=pdf` },
          { label: t("money.page"), href: `${address}?format=html` },
        ]}
      />
    </Section>
  );
}
