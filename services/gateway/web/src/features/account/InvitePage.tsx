import { useTranslation } from "react-i18next";
import type { Role } from "@/api/types";
import { Loaded } from "@/shared/Loaded";
import { Notice } from "@/shared/Notice";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { InvitationLines } from "./InvitationLines";
import { InviteForm } from "./InviteForm";
import { INVITES } from "./inviting";
import { useInvitations } from "./queries";

/** Invite people, see what became of invitations, revoke them. */
export function InvitePage() {
  const { t } = useTranslation();
  return (
    <RequireRole needs="any">
      {(account) => (
        <Page title={t("invite.title")} lead={t("invite.lead")} width="narrow">
          {INVITES[account.role] === undefined ? (
            <Notice tone="trouble" role="alert">
              <p>{t("invite.notYours")}</p>
            </Notice>
          ) : (
            <Invitations role={account.role} />
          )}
        </Page>
      )}
    </RequireRole>
  );
}

function Invitations({ role }: { role: Role }) {
  const { t } = useTranslation();
  const invitations = useInvitations();
  return (
    <Loaded query={invitations} blocks={2}>
      {({ pages }) => {
        const left = pages[0]?.left ?? null;
        return (
          <Stack gap="large">
            <Section
              title={t("invite.new")}
              note={left === null ? undefined : t("invite.left", { count: left })}
            >
              <InviteForm role={role} />
            </Section>
            <Section title={t("invite.all")}>
              <InvitationLines query={invitations} rows={pages.flatMap((part) => part.data)} />
            </Section>
          </Stack>
        );
      }}
    </Loaded>
  );
}
