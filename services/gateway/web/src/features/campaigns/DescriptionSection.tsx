import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { Facts } from "@/shared/Facts";
import { formatDay, formatMinor } from "@/shared/format";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import classes from "./CampaignPage.module.css";

/** What the campaign is about, last, as the terms of the money come first. */
export function DescriptionSection({ product }: { product: Product }) {
  const { t } = useTranslation();
  const references = product.reference_prices ?? [];
  const facts = [
    { label: t("campaign.category"), value: product.category },
    ...(product.sku ? [{ label: t("campaign.sku"), value: product.sku }] : []),
  ];
  return (
    <Section title={t("campaign.description")}>
      <p className={classes.spec}>{product.specification}</p>
      <Stack>
        <Facts facts={facts} />
        {references.length > 0 ? (
          <div>
            <Title order={3}>{t("campaign.reference")}</Title>
            <p className={classes.small}>{t("campaign.referenceText")}</p>
            <ul>
              {references.map((price) => (
                <li key={price.source + price.seen_on}>
                  {t("campaign.referenceLine", {
                    amount: formatMinor(BigInt(price.amount_minor), price.currency),
                    source: price.source,
                    // A date without a time is the same day everywhere.
                    day: formatDay(`${price.seen_on}T12:00:00`),
                  })}
                </li>
              ))}
            </ul>
          </div>
        ) : null}
      </Stack>
    </Section>
  );
}
