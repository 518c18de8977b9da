import { useTranslation } from "react-i18next";
import type { Escrow } from "@/api/types";
import { Facts } from "@/shared/Facts";

/** Each comparison with its verdict; one that does not hold is said as plainly as one that does. */
export function CheckList({ checks }: { checks: Escrow["checks"] }) {
  const { t } = useTranslation();
  return (
    <Facts
      facts={checks.map((check) => ({
        label: check.words,
        value: check.holds ? t("escrow.holds") : t("escrow.doesNotHold"),
      }))}
    />
  );
}
