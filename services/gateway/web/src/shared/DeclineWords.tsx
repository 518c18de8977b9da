import { useTranslation } from "react-i18next";
import { formatMoment } from "@/shared/format";
import { Notice } from "@/shared/Notice";

/** Why a card was declined, as far as the bank says, and until when another one can be used. */
export function DeclineWords({ facts }: { facts: Record<string, unknown> }) {
  const { t, i18n } = useTranslation();
  const key = `decline.${String(facts.decline_code)}`;
  const reason = i18n.exists(key) ? key : "decline.generic_decline";
  const until = typeof facts.retry_until === "string" ? formatMoment(facts.retry_until) : null;
  return (
    <Notice tone="trouble" role="alert" title={t("decline.title")}>
      <p>{t(reason as "decline.generic_decline")}</p>
      <p>{until === null ? t("decline.nextOpen") : t("decline.next", { moment: until })}</p>
    </Notice>
  );
}
