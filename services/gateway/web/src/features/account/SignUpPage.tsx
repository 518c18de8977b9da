import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { Facts } from "@/shared/Facts";
import { formatMoment } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { Page } from "@/shared/Page";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useSession } from "@/shared/session";
import { CodeForm } from "./CodeForm";
import { useInvitationPreview } from "./queries";
import { RedeemButton } from "./RedeemButton";

/** Use an invitation. Its token stands behind the address's `#`, so that no server's log holds it. */
export function SignUpPage() {
  const { t } = useTranslation();
  const [token] = useState(() => window.location.hash.slice(1));
  return (
    <Page title={t("signUp.title")} lead={t("signUp.lead")} width="narrow">
      {token === "" ? (
        <EmptyNote title={t("signUp.noInvitation")} text={t("signUp.noInvitationText")} />
      ) : (
        <Invited token={token} />
      )}
    </Page>
  );
}

function Invited({ token }: { token: string }) {
  const { t } = useTranslation();
  const preview = useInvitationPreview(token);
  const { data: account } = useSession();
  const navigate = useNavigate();

  function toCampaign(campaignId: string) {
    void navigate({ to: "/campaigns/$campaignId", params: { campaignId } });
  }

  /** Staff and suppliers set their second factor up first; participants see what they were invited to. */
  function begin(session: { account: Account; campaign_id: string | null }) {
    if (session.campaign_id !== null) toCampaign(session.campaign_id);
    else void navigate({ to: session.account.role === "participant" ? "/" : "/security" });
  }

  return (
    <Loaded query={preview} blocks={2}>
      {(invitation) => (
        <Stack gap="large">
          <Section title={t("signUp.opens")}>
            <Stack>
              <Facts
                facts={[
                  { label: t("account.role"), value: t(`role.${invitation.role}`) },
                  {
                    label: t("signUp.campaign"),
                    value: invitation.campaign_title ?? t("signUp.noCampaign"),
                  },
                  { label: t("signUp.until"), value: formatMoment(invitation.expires_at) },
                ]}
              />
              {invitation.bound ? <p>{t("signUp.bound")}</p> : null}
            </Stack>
          </Section>
          {account?.role === "participant" && invitation.campaign_id !== null ? (
            <Section title={t("signUp.signedIn")}>
              <RedeemButton token={token} onDone={toCampaign} />
            </Section>
          ) : (
            <Section title={t("signUp.address")} note={t("signUp.addressNote")}>
              <CodeForm
                token={token}
                choosesKind={invitation.role === "participant"}
                onDone={begin}
              />
            </Section>
          )}
        </Stack>
      )}
    </Loaded>
  );
}
