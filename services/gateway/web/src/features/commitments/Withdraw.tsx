import { useTranslation } from "react-i18next";
import type { Commitment } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { formatMoney } from "@/shared/format";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useWithdraw } from "./queries";

export function Withdraw({ commitment }: { commitment: Commitment }) {
  const { t } = useTranslation();
  const withdraw = useWithdraw(commitment.id);
  const held = commitment.state === "LOCKED";
  const amount = formatMoney(commitment.amount);
  return (
    <Section title={t("commitment.withdrawTitle")} note={t("commitment.withdrawText")}>
      <Stack>
        {withdraw.isError ? <ProblemNotice error={withdraw.error} /> : null}
        {withdraw.data?.kind === "running" ? (
          <Notice role="status" title={t("commitment.running")} />
        ) : null}
        <ConfirmAct
          label={t("commitment.withdraw")}
          question={
            held
              ? t("commitment.withdrawQuestion", { amount })
              : t("commitment.withdrawQuestionPending")
          }
          confirmLabel={
            held
              ? t("commitment.withdrawConfirm", { amount })
              : t("commitment.withdrawConfirmPending")
          }
          tone="ending"
          busy={withdraw.isPending}
          onConfirm={() => withdraw.mutate({})}
        />
      </Stack>
    </Section>
  );
}
