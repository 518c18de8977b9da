import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { ProductFacts } from "@/shared/ProductFacts";
import { Section } from "@/shared/Section";

/** What the campaign is about, last, as the terms of the money come first. */
export function DescriptionSection({ product }: { product: Product }) {
  const { t } = useTranslation();
  return (
    <Section title={t("campaign.description")}>
      <ProductFacts product={product} />
    </Section>
  );
}
