import { useTranslation } from "react-i18next";
import type { Commitment } from "@/api/types";
import { DeclineWords } from "@/shared/DeclineWords";
import { formatMoney } from "@/shared/format";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { CardForm } from "@/shared/payment/CardForm";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { usePayAgain } from "./queries";

/** After a decline: why, and another card while the reservation lasts. */
export function PayAgain({ commitment }: { commitment: Commitment }) {
  const { t } = useTranslation();
  const pay = usePayAgain(commitment.id);
  const { decline_code: code, retry_until: until } = commitment.payment;

  function send(token: string) {
    pay.mutate(
      { confirmation_token: token },
      {
        onSuccess: (outcome) => {
          if (outcome.kind === "redirect") window.location.assign(outcome.url);
        },
      },
    );
  }

  return (
    <Section title={t("commitment.anotherCard")}>
      <Stack gap="large">
        {pay.isError ? (
          <ProblemNotice error={pay.error} />
        ) : (
          <DeclineWords
            facts={{ decline_code: code, retry_until: until ?? commitment.reserved_until }}
          />
        )}
        <CardForm
          amount={commitment.amount}
          submitLabel={t("join.commitAmount", { amount: formatMoney(commitment.amount) })}
          busy={pay.isPending}
          onToken={send}
        />
      </Stack>
    </Section>
  );
}
