import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { MemberInvitation } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment, shortId } from "@/shared/format";
import { Line, Lines } from "@/shared/Lines";
import { MoreButton } from "@/shared/MoreButton";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Small } from "@/shared/Small";
import { Stack } from "@/shared/Stack";
import { type StateTone, StateWord } from "@/shared/StateWord";
import { useRevokeInvitation } from "./queries";

const TONES: Readonly<Record<MemberInvitation["state"], StateTone>> = {
  open: "open",
  used: "good",
  revoked: "ended",
  expired: "ended",
};

interface InvitationLinesProps {
  query: UseInfiniteQueryResult<InfiniteData<unknown>>;
  rows: readonly MemberInvitation[];
}

export function InvitationLines({ query, rows }: InvitationLinesProps) {
  const { t } = useTranslation();
  if (rows.length === 0) return <EmptyNote title={t("invite.none")} />;
  return (
    <Stack>
      <Lines>
        {rows.map((row) => (
          <InvitationLine key={row.id} row={row} />
        ))}
      </Lines>
      <MoreButton query={query} />
    </Stack>
  );
}

function InvitationLine({ row }: { row: MemberInvitation }) {
  const { t } = useTranslation();
  const revoke = useRevokeInvitation();
  const name = row.note ?? t("invite.unnamed", { id: shortId(row.id) });
  const revocable = row.state === "open" || (row.state === "used" && row.campaign_id !== null);
  return (
    <Line>
      <div>
        <p>{name}</p>
        <Small>
          {t("invite.facts", {
            role: t(`role.${row.role}`),
            made: formatMoment(row.created_at),
            until: formatMoment(row.expires_at),
          })}
          {row.bound ? ` ${t("invite.bound")}` : null}
        </Small>
        {revoke.isError ? <ProblemNotice error={revoke.error} /> : null}
      </div>
      <StateWord words={t(`invite.state.${row.state}`)} tone={TONES[row.state]} />
      {revocable ? (
        <ConfirmAct
          label={t("invite.revokeNamed", { name })}
          question={t(row.state === "open" ? "invite.revokeOpen" : "invite.revokeUsed")}
          confirmLabel={t("invite.revoke")}
          tone="ending"
          busy={revoke.isPending}
          onConfirm={() => revoke.mutate(row.id)}
        />
      ) : null}
    </Line>
  );
}
