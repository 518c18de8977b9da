import { Button, Title } from "@mantine/core";
import { useFieldArray, useFormContext } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Fields } from "@/shared/Form";
import { Section } from "@/shared/Section";
import classes from "./Drafting.module.css";
import { type DraftValues, EMPTY_PRICE } from "./draft";
import { Field } from "./Field";
import { Row } from "./Row";

export function ProductFields() {
  const { t } = useTranslation();
  return (
    <Section title={t("draft.product")}>
      <Fields width="wide">
        <Field path="product.name" />
        <Field path="product.specification" note={t("draft.specificationNote")} long />
        <Row>
          <Field path="product.category" />
          <Field path="product.sku" note={t("draft.optional")} />
        </Row>
        <PriceFields />
      </Fields>
    </Section>
  );
}

/** Prices seen elsewhere, each with where and when. */
function PriceFields() {
  const { t } = useTranslation();
  const { control } = useFormContext<DraftValues>();
  const prices = useFieldArray({ control, name: "product.reference_prices" });
  return (
    <div>
      <Title order={3}>{t("campaign.reference")}</Title>
      <p>{t("draft.pricesNote")}</p>
      <Fields width="wide">
        {prices.fields.map(({ id }, index) => (
          <fieldset key={id} className={classes.price}>
            <legend>{t("draft.price", { number: index + 1 })}</legend>
            <Row>
              <Field path={`product.reference_prices.${index}.amount_minor`} inputMode="decimal" />
              <Field path={`product.reference_prices.${index}.currency`} />
            </Row>
            <Row>
              <Field path={`product.reference_prices.${index}.source`} />
              <Field path={`product.reference_prices.${index}.seen_on`} type="date" />
            </Row>
            <Button variant="default" onClick={() => prices.remove(index)}>
              {t("draft.priceRemove", { number: index + 1 })}
            </Button>
          </fieldset>
        ))}
        <Button variant="default" onClick={() => prices.append(EMPTY_PRICE)}>
          {t("draft.priceAdd")}
        </Button>
      </Fields>
    </div>
  );
}
