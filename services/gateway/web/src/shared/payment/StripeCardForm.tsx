import { Button } from "@mantine/core";
import { Elements, PaymentElement, useElements, useStripe } from "@stripe/react-stripe-js";
import { loadStripe, type Stripe } from "@stripe/stripe-js";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { CardRefused } from "@/api/problem";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import type { CardFormProps } from "@/shared/payment/CardForm";
import classes from "@/shared/payment/CardForm.module.css";

const APPEARANCE = { variables: { colorPrimary: "#1b4d3e", colorDanger: "#8b3a3a" } };

const loaded = new Map<string, Promise<Stripe | null>>();

function stripeFor(publishableKey: string): Promise<Stripe | null> {
  const known = loaded.get(publishableKey);
  if (known !== undefined) return known;
  const loading = loadStripe(publishableKey);
  loaded.set(publishableKey, loading);
  return loading;
}

interface StripeCardFormProps extends CardFormProps {
  publishableKey: string;
}

/** Stripe's own Payment Element, in Stripe's own frame; used with real keys only. */
export default function StripeCardForm({ publishableKey, ...form }: StripeCardFormProps) {
  return (
    <Elements
      stripe={stripeFor(publishableKey)}
      options={{
        mode: "payment",
        amount: form.amount.amount,
        currency: form.amount.currency.toLowerCase(),
        allowedPaymentMethodTypes: ["card"],
        appearance: APPEARANCE,
      }}
    >
      <ElementForm {...form} />
    </Elements>
  );
}

function ElementForm({ submitLabel, busy, onToken }: CardFormProps) {
  const { t } = useTranslation();
  const stripe = useStripe();
  const elements = useElements();
  const [working, setWorking] = useState(false);
  const [refusal, setRefusal] = useState<CardRefused | null>(null);
  const [missing, setMissing] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (stripe === null || elements === null || working) return;
    setWorking(true);
    setRefusal(null);
    try {
      const checked = await elements.submit();
      if (checked.error) throw new CardRefused(checked.error.code ?? "", null);
      const created = await stripe.createConfirmationToken({ elements });
      if (created.error) throw new CardRefused(created.error.code ?? "", null);
      onToken(created.confirmationToken.id);
    } catch (error) {
      setRefusal(error instanceof CardRefused ? error : new CardRefused("", null));
    } finally {
      setWorking(false);
    }
  }

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)}>
      {refusal !== null ? <ProblemNotice error={refusal} /> : null}
      {missing ? <Notice tone="trouble" role="alert" title={t("card.loadFailed")} /> : null}
      <PaymentElement onLoadError={() => setMissing(true)} />
      <p className={classes.note}>{t("card.direct")}</p>
      <Button type="submit" loading={working || busy} disabled={stripe === null}>
        {submitLabel}
      </Button>
    </form>
  );
}
