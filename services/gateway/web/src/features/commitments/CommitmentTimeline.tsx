import { useTranslation } from "react-i18next";
import type { Commitment } from "@/api/types";
import { formatMoment, formatMoney } from "@/shared/format";
import { Steps } from "@/shared/Steps";
import { type EventName, timelineOf } from "./timeline";

export function CommitmentTimeline({ commitment }: { commitment: Commitment }) {
  const { t } = useTranslation();

  function titleOf(name: EventName): string {
    if (name === "refundDecided") {
      const amount = formatMoney(commitment.refund?.amount ?? commitment.amount);
      return t("commitment.event.refundDecided", { amount });
    }
    return t(`commitment.event.${name}`);
  }

  function noteOf(name: EventName, at: string | null): string | undefined {
    if (at !== null) return formatMoment(at);
    const { delivery } = commitment;
    if (name === "dispatched" && delivery?.tracking) {
      return t("commitment.tracking", { tracking: delivery.tracking });
    }
    if (name === "delivered" && delivery?.inspection_until) {
      const moment = formatMoment(delivery.inspection_until);
      return t("commitment.event.inspection", { moment });
    }
    return undefined;
  }

  const steps = timelineOf(commitment).map(({ name, state, at }) => ({
    id: name,
    title: titleOf(name),
    state,
    note: noteOf(name, at),
  }));
  return <Steps steps={steps} />;
}
