import { useTranslation } from "react-i18next";
import type { Flows } from "@/api/types";
import { type Fact, Facts } from "@/shared/Facts";
import { formatCount, formatMoney } from "@/shared/format";
import { Stack } from "@/shared/Stack";
import { PARTS } from "./flows";

const FIRST = ["received", "held", "released", "refunded", "fees"] as const;
const ALWAYS: ReadonlySet<string> = new Set(FIRST);

/** In, held, released, refunded and fees always; the lesser figures only where there are any. */
export function FlowFigures({ sums }: { sums: Flows }) {
  const { t } = useTranslation();
  const lesser: Fact[] = [...PARTS, "goodwill" as const, "borne_by_platform" as const]
    .filter((name) => !ALWAYS.has(name) && sums[name].amount !== 0)
    .map((name) => ({ label: t(`escrow.${name}`), value: formatMoney(sums[name]) }));
  const cover: Fact[] = [
    { label: t("escrow.at_processor"), value: formatMoney(sums.at_processor) },
    { label: t("escrow.owed"), value: formatMoney(sums.owed) },
    { label: t("escrow.count"), value: formatCount(sums.transfers) },
  ];
  return (
    <Stack>
      <Facts
        look="figures"
        facts={FIRST.map((name) => ({
          label: t(`escrow.${name}`),
          value: formatMoney(sums[name]),
        }))}
      />
      <Facts facts={[...lesser, ...cover]} />
    </Stack>
  );
}
