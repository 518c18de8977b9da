import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { Facts } from "@/shared/Facts";
import { formatDay, formatMinor } from "@/shared/format";
import { Stack } from "@/shared/Stack";
import classes from "./ProductFacts.module.css";

interface ProductFactsProps {
  product: Product;
  /** The level of its own headings, one below the heading above it. */
  headings?: 3 | 4;
}

/** What a campaign is about, as people read it. */
export function ProductFacts({ product, headings = 3 }: ProductFactsProps) {
  const { t } = useTranslation();
  const references = product.reference_prices ?? [];
  const facts = [
    { label: t("campaign.category"), value: product.category },
    ...(product.sku ? [{ label: t("campaign.sku"), value: product.sku }] : []),
  ];
  return (
    <>
      <p className={classes.spec}>{product.specification}</p>
      <Stack>
        <Facts facts={facts} />
        {references.length > 0 ? (
          <div>
            <Title order={headings}>{t("campaign.reference")}</Title>
            <p className={classes.note}>{t("campaign.referenceText")}</p>
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
    </>
  );
}
