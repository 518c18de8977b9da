import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Account, DisputeRow } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment, formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { useDispute, useOpenDisputes, usePrepareEvidence, useSubmitEvidence } from "./disputes";
import classes from "./Staff.module.css";

/** Payments that a bank disputes or asks about, with what is told to the bank. */
export function DisputeList({ role }: { role: Account["role"] }) {
  const { t } = useTranslation();
  const disputes = useOpenDisputes();
  return (
    <Loaded query={disputes} blocks={1}>
      {(found) =>
        found.length === 0 ? (
          <EmptyNote title={t("dispute.empty")} />
        ) : (
          <ul className={classes.lines}>
            {found.map((one) => (
              <li key={one.id} className={classes.line}>
                <DisputeLine one={one} role={role} />
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

function DisputeLine({ one, role }: { one: DisputeRow; role: Account["role"] }) {
  const { t } = useTranslation();
  const inquiry = one.status.startsWith("warning_");
  return (
    <div className={classes.case}>
      <div className={classes.caseHead}>
        <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: one.campaign_id }}>
          {t(inquiry ? "dispute.inquiry" : "dispute.dispute", { amount: formatMoney(one.amount) })}
        </TextLink>
        <span>{t(`dispute.status.${one.status}`)}</span>
      </div>
      <span className={classes.small}>
        {t("dispute.opened", { moment: formatMoment(one.opened_at) })}
        {one.evidence_due_by === null
          ? null
          : ` · ${t("dispute.due", { moment: formatMoment(one.evidence_due_by) })}`}
        {one.evidence_state === null ? null : ` · ${t(`dispute.evidence.${one.evidence_state}`)}`}
      </span>
      <a href={`/v1/disputes/${one.id}/evidence`}>{t("dispute.read")}</a>
      {one.evidence_state === null ? null : (
        <a href={`/v1/disputes/${one.id}/evidence-file`}>{t("dispute.file")}</a>
      )}
      {role === "operations" ? <Prepare disputeId={one.id} /> : null}
      {role === "escrow_auditor" && one.evidence_state === "prepared" ? (
        <Submit disputeId={one.id} />
      ) : null}
    </div>
  );
}

function Prepare({ disputeId }: { disputeId: string }) {
  const { t } = useTranslation();
  const prepare = usePrepareEvidence(disputeId);
  return (
    <div>
      {prepare.isError ? <ProblemNotice error={prepare.error} /> : null}
      <Button variant="outline" loading={prepare.isPending} onClick={() => prepare.mutate({})}>
        {t("dispute.prepare")}
      </Button>
    </div>
  );
}

function Submit({ disputeId }: { disputeId: string }) {
  const { t } = useTranslation();
  const submit = useSubmitEvidence(disputeId);
  const dispute = useDispute(disputeId);
  const hash = dispute.data?.prepared_hash ?? null;
  return (
    <div>
      {submit.isError ? <ProblemNotice error={submit.error} /> : null}
      <ConfirmAct
        label={t("dispute.submit")}
        question={t("dispute.submitQuestion")}
        busy={submit.isPending}
        disabled={hash === null}
        onConfirm={() => hash !== null && submit.mutate({ evidence_hash: hash })}
      />
    </div>
  );
}
