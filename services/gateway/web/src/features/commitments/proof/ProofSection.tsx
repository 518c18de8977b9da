import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, read } from "@/api/client";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { checkProof, type Step } from "./check";
import classes from "./ProofSection.module.css";

const NOT_SHOWN = ["stripe", "others", "key"] as const;

/** The proof of a commitment: to keep as a file, and checked here, in the reader's own browser. */
export function ProofSection({ commitmentId }: { commitmentId: string }) {
  const { t } = useTranslation();
  const check = useQuery({
    queryKey: ["proof", commitmentId],
    queryFn: async () =>
      checkProof(
        await read(
          api.GET("/v1/me/commitments/{commitment_id}/proof", {
            params: { path: { commitment_id: commitmentId } },
          }),
        ),
      ),
    enabled: false,
    retry: false,
    gcTime: 0,
  });
  return (
    <Section title={t("ledgerProof.title")} note={t("ledgerProof.note")} tone="trust">
      <Stack>
        <div className={classes.acts}>
          <Button onClick={() => void check.refetch()} loading={check.isFetching}>
            {t("ledgerProof.check")}
          </Button>
          <a href={`/v1/me/commitments/${commitmentId}/proof`} download>
            {t("ledgerProof.download")}
          </a>
        </div>
        {check.isError && !check.isFetching ? <ProblemNotice error={check.error} /> : null}
        {check.data === undefined || check.isError ? null : <Outcome steps={check.data} />}
      </Stack>
    </Section>
  );
}

function Outcome({ steps }: { steps: readonly Step[] }) {
  const { t } = useTranslation();
  return (
    <div>
      <p role="status" className={classes.verdict}>
        {t(`ledgerProof.verdict.${verdictOf(steps)}`)}
      </p>
      <ul className={classes.steps}>
        {steps.map((step) => (
          <li key={`${step.name} ${Object.values(step.facts).join(" ")}`} data-mark={markOf(step)}>
            <strong>{t(`ledgerProof.mark.${markOf(step)}`)}</strong>{" "}
            {t(`ledgerProof.step.${step.name}`, step.facts)}
          </li>
        ))}
      </ul>
      <p>{t("ledgerProof.notShown.title")}</p>
      <ul>
        {NOT_SHOWN.map((name) => (
          <li key={name}>{t(`ledgerProof.notShown.${name}`)}</li>
        ))}
      </ul>
    </div>
  );
}

function markOf({ holds }: Step): "holds" | "fails" | "open" {
  if (holds === null) return "open";
  return holds ? "holds" : "fails";
}

function verdictOf(steps: readonly Step[]): "holds" | "fails" | "open" {
  if (steps.some(({ holds }) => holds === false)) return "fails";
  return steps.some(({ holds }) => holds === null) ? "open" : "holds";
}
