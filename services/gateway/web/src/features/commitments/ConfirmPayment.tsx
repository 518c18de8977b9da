import { Button } from "@mantine/core";
import { useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Commitment } from "@/api/types";
import { formatMoment } from "@/shared/format";
import { Notice } from "@/shared/Notice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

/** The bank's question, while it waits; or that its answer is being recorded. */
export function ConfirmPayment({ commitment }: { commitment: Commitment }) {
  const { t } = useTranslation();
  const { redirect_status: status } = useSearch({ from: "/commitments/$commitmentId" });
  const action = commitment.next_action;
  if (commitment.payment.state !== "action_required" || action === null) return null;
  if (status === "succeeded") {
    return (
      <Notice role="status">
        <p>{t("commitment.returned")}</p>
      </Notice>
    );
  }
  return (
    <Section title={t("commitment.confirmTitle")}>
      <Stack>
        {commitment.reserved_until === null ? null : (
          <p>{t("commitment.confirmText", { moment: formatMoment(commitment.reserved_until) })}</p>
        )}
        <div>
          <Button component="a" href={action.url}>
            {t("commitment.confirm")}
          </Button>
        </div>
      </Stack>
    </Section>
  );
}
