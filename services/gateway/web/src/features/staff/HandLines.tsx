import { Button, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Money } from "@/api/types";
import { DataTable } from "@/shared/DataTable";
import { formatMoney, shortId } from "@/shared/format";
import { Loading } from "@/shared/Loading";
import { MoreButton } from "@/shared/MoreButton";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { minorOf } from "./hand";
import { useLines } from "./queries";

interface HandLinesProps {
  campaignId: string;
  amounts: Record<string, string>;
  onChange: (amounts: Record<string, string>) => void;
}

/** The commitments of a campaign with an amount to give for each; those without one are not in the plan. */
export function HandLines({ campaignId, amounts, onChange }: HandLinesProps) {
  const { t } = useTranslation();
  const query = useLines(campaignId);
  if (query.isError) return <ProblemNotice error={query.error} />;
  if (query.data === undefined) return <Loading />;
  const rows = query.data.pages.flatMap((part) => part.data);

  function set(id: string, text: string) {
    const { [id]: _, ...others } = amounts;
    onChange(text === "" ? others : { ...others, [id]: text });
  }

  return (
    <Stack>
      <DataTable
        caption={t("hand.lines")}
        rows={rows}
        rowKey={(row) => row.id}
        columns={[
          { label: t("fulfillment.reference"), cell: (row) => row.reference ?? shortId(row.id) },
          { label: t("fulfillment.state"), cell: (row) => row.state_words },
          {
            label: t("commitment.amount"),
            cell: (row) => (row.amount === null ? "–" : formatMoney(row.amount)),
            numeric: true,
          },
          {
            label: t("hand.amount"),
            cell: (row) => (
              <TextInput
                aria-label={t("hand.amountFor", { reference: row.reference ?? shortId(row.id) })}
                inputMode="decimal"
                value={amounts[row.id] ?? ""}
                error={isOdd(amounts[row.id]) ? t("hand.noAmount") : null}
                onChange={(event) => set(row.id, event.currentTarget.value)}
                rightSectionWidth={row.amount === null ? 0 : 56}
                rightSection={
                  row.amount === null ? null : (
                    <Whole amount={row.amount} onPick={(text) => set(row.id, text)} />
                  )
                }
              />
            ),
          },
        ]}
      />
      <MoreButton query={query} />
    </Stack>
  );
}

function Whole({ amount, onPick }: { amount: Money; onPick: (text: string) => void }) {
  const { t } = useTranslation();
  const minor = String(amount.amount).padStart(3, "0");
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      onClick={() => onPick(`${minor.slice(0, -2)}.${minor.slice(-2)}`)}
    >
      {t("hand.whole")}
    </Button>
  );
}

function isOdd(text: string | undefined): boolean {
  return text !== undefined && minorOf(text) === null;
}
