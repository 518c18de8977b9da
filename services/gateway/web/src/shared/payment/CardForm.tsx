import { lazy, Suspense } from "react";
import type { Money } from "@/api/types";
import { Loaded } from "@/shared/Loaded";
import { Loading } from "@/shared/Loading";
import { StandInCardForm } from "@/shared/payment/StandInCardForm";
import { useConfig } from "@/shared/session";

/** Loaded only where the real processor is used: its script comes from the processor itself. */
const StripeCardForm = lazy(() => import("@/shared/payment/StripeCardForm"));

export interface CardFormProps {
  amount: Money;
  submitLabel: string;
  busy: boolean;
  /** Gets the confirmation token; the card's number never reaches Alpmera. */
  onToken: (confirmationToken: string) => void;
}

/** The card form of whichever processor this stack speaks to. */
export function CardForm(props: CardFormProps) {
  const config = useConfig();
  return (
    <Loaded query={config}>
      {({ stripe }) =>
        stripe.kind === "stand-in" ? (
          <StandInCardForm
            {...props}
            apiBase={stripe.api_base ?? ""}
            publishableKey={stripe.publishable_key}
          />
        ) : (
          <Suspense fallback={<Loading />}>
            <StripeCardForm {...props} publishableKey={stripe.publishable_key} />
          </Suspense>
        )
      }
    </Loaded>
  );
}
