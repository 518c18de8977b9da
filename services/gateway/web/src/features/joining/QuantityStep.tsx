import { Button, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Campaign } from "@/api/types";
import { formatCount, formatMoney, times } from "@/shared/format";
import { Section } from "@/shared/Section";
import { UnitRange } from "@/shared/TermsFacts";
import classes from "./JoinPage.module.css";

interface QuantityStepProps {
  campaign: Campaign;
  quantity: number | undefined;
  onDone: (quantity: number) => void;
}

const WHOLE_NUMBER = /^\d{1,7}$/;

export function QuantityStep({ campaign, quantity, onDone }: QuantityStepProps) {
  const { t } = useTranslation();
  const { terms, progress } = campaign;
  const form = useForm({ defaultValues: { quantity: String(quantity ?? terms.min_units) } });
  const text = form.watch("quantity").trim();
  const units = WHOLE_NUMBER.test(text) ? Number(text) : null;

  function check(value: string): true | string {
    if (!WHOLE_NUMBER.test(value.trim())) return t("join.quantityNumber");
    const wanted = Number(value);
    const max = terms.max_units ?? null;
    if (wanted < Math.max(1, terms.min_units)) {
      return t("join.quantityMin", { min: formatCount(Math.max(1, terms.min_units)) });
    }
    if (max !== null && wanted > max) return t("join.quantityMax", { max: formatCount(max) });
    if (wanted > progress.units_left) {
      return t("join.quantityLeft", { left: formatCount(progress.units_left) });
    }
    return true;
  }

  const submit = form.handleSubmit((values) => onDone(Number(values.quantity)));
  return (
    <Section title={t("join.quantity")}>
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        <TextInput
          label={t("join.quantityLabel")}
          description={
            <>
              <UnitRange terms={terms} />. {t("campaign.left")}: {formatCount(progress.units_left)}.
            </>
          }
          inputMode="numeric"
          autoComplete="off"
          error={form.formState.errors.quantity?.message}
          {...form.register("quantity", { validate: check })}
        />
        <p className={classes.total} aria-live="polite">
          {units === null
            ? null
            : t("join.sum", { amount: formatMoney(times(campaign.unit_price, units)) })}
        </p>
        <Button type="submit">{t("common.continue")}</Button>
      </form>
    </Section>
  );
}
