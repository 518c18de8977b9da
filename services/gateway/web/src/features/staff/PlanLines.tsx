import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Plan } from "@/api/types";
import { DataTable } from "@/shared/DataTable";
import { formatMoney, shortId } from "@/shared/format";
import { Loading } from "@/shared/Loading";
import { MoreButton } from "@/shared/MoreButton";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { usePlanLines } from "./queries";

/** The lines of a plan, each with its account before and after, read when somebody asks. */
export function PlanLines({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  if (plan.line_count === 0) return null;
  return shown ? (
    <Lines planId={plan.id} />
  ) : (
    <div>
      <Button variant="default" onClick={() => setShown(true)}>
        {t("plan.showLines")}
      </Button>
    </div>
  );
}

function Lines({ planId }: { planId: string }) {
  const { t } = useTranslation();
  const query = usePlanLines(planId);
  if (query.isError) return <ProblemNotice error={query.error} />;
  if (query.data === undefined) return <Loading />;
  const rows = query.data.pages.flatMap((part) => part.data);
  return (
    <Stack>
      <DataTable
        caption={t("plan.linesTitle")}
        rows={rows}
        rowKey={(row) => `${row.commitment_id}:${row.account}`}
        columns={[
          { label: t("plan.commitment"), cell: (row) => shortId(row.commitment_id) },
          { label: t("plan.before"), cell: (row) => formatMoney(row.before), numeric: true },
          { label: t("commitment.amount"), cell: (row) => formatMoney(row.amount), numeric: true },
          { label: t("plan.after"), cell: (row) => formatMoney(row.after), numeric: true },
        ]}
      />
      <MoreButton query={query} />
    </Stack>
  );
}
