import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { CardRefused } from "@/api/problem";
import { ProblemNotice } from "@/shared/ProblemNotice";
import type { CardFormProps } from "@/shared/payment/CardForm";
import classes from "@/shared/payment/CardForm.module.css";
import { createConfirmationToken, readExpiry } from "@/shared/payment/standInTokens";
import { TestCards } from "@/shared/payment/TestCards";

interface Values {
  number: string;
  expiry: string;
  cvc: string;
}

const NUMBER = /^[\d\s-]{12,24}$/;
const CVC = /^\d{3,4}$/;
const FIELD_OF: Readonly<Record<string, keyof Values>> = {
  incorrect_number: "number",
  card_declined: "number",
  invalid_expiry_month: "expiry",
  invalid_expiry_year: "expiry",
  invalid_cvc: "cvc",
};

interface StandInCardFormProps extends CardFormProps {
  apiBase: string;
  publishableKey: string;
}

/** The card form of the local stack: sends the card's details to the stand-in alone. */
export function StandInCardForm(props: StandInCardFormProps) {
  const { t, i18n } = useTranslation();
  const [refusal, setRefusal] = useState<unknown>(null);
  const form = useForm<Values>({ defaultValues: { number: "", expiry: "", cvc: "" } });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async ({ number, expiry, cvc }) => {
    const date = readExpiry(expiry);
    if (date === null) return;
    setRefusal(null);
    try {
      const card = { number, expiryMonth: date.month, expiryYear: date.year, cvc };
      props.onToken(await createConfirmationToken(props, card));
    } catch (error) {
      setRefusal(error);
      const field = error instanceof CardRefused ? FIELD_OF[error.reason] : undefined;
      const key = `card.refused.${error instanceof CardRefused ? error.reason : ""}`;
      if (field !== undefined && i18n.exists(key)) {
        form.setError(field, { message: t(key as "card.refused.incorrect_number") });
      }
    }
  });

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
      {refusal !== null ? <ProblemNotice error={refusal} /> : null}
      <TextInput
        label={t("card.number")}
        description={t("card.numberHint")}
        inputMode="numeric"
        autoComplete="cc-number"
        error={errors.number?.message}
        {...form.register("number", {
          validate: (text) => NUMBER.test(text.trim()) || t("card.needNumber"),
        })}
      />
      <div className={classes.pair}>
        <TextInput
          label={t("card.expiry")}
          description={t("card.expiryHint")}
          autoComplete="cc-exp"
          error={errors.expiry?.message}
          {...form.register("expiry", {
            validate: (text) => readExpiry(text) !== null || t("card.needExpiry"),
          })}
        />
        <TextInput
          label={t("card.cvc")}
          description={t("card.cvcHint")}
          inputMode="numeric"
          autoComplete="cc-csc"
          error={errors.cvc?.message}
          {...form.register("cvc", {
            validate: (text) => CVC.test(text.trim()) || t("card.needCvc"),
          })}
        />
      </div>
      <TestCards />
      <p className={classes.note}>{t("card.direct")}</p>
      <Button type="submit" loading={isSubmitting || props.busy}>
        {props.submitLabel}
      </Button>
    </form>
  );
}
