import { Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Invitation } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { Facts } from "@/shared/Facts";
import { formatMoment, formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { ButtonLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import { useInvitations } from "./queries";
import classes from "./Supplier.module.css";

/** The supplier's invitations: what is asked, until when, and the way to answer. */
export function InvitationListPage() {
  const { t } = useTranslation();
  return (
    <RequireRole needs="supplier">
      {() => (
        <Page title={t("supplier.title")} lead={t("supplier.lead")}>
          <Invitations />
        </Page>
      )}
    </RequireRole>
  );
}

function Invitations() {
  const { t } = useTranslation();
  const query = useInvitations();
  return (
    <Loaded query={query} blocks={2}>
      {(invitations) =>
        invitations.length === 0 ? (
          <EmptyNote title={t("supplier.empty")} text={t("supplier.emptyText")} />
        ) : (
          <ul className={classes.invitations}>
            {invitations.map((invitation) => (
              <li key={invitation.id} className={classes.invitation}>
                <InvitationLine invitation={invitation} />
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

function InvitationLine({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation();
  const title = invitation.campaign_title;
  return (
    <Stack>
      <div className={classes.head}>
        <Title order={2} size="h3">
          {title}
        </Title>
        <StateWord words={invitation.state_words} tone={toneOf(invitation.state)} />
      </div>
      <InvitationFacts invitation={invitation} />
      <Stack direction="row">
        <ButtonLink
          to="/supplier/invitations/$invitationId"
          params={{ invitationId: invitation.id }}
          variant={invitation.state === "open" ? "filled" : "default"}
          aria-label={t("supplier.viewNamed", { title })}
        >
          {t("supplier.view")}
        </ButtonLink>
        {invitation.state === "accepted" ? (
          <ButtonLink
            to="/supplier/campaigns/$campaignId"
            params={{ campaignId: invitation.campaign_id }}
            aria-label={t("supplier.fulfilNamed", { title })}
          >
            {t("supplier.fulfil")}
          </ButtonLink>
        ) : null}
      </Stack>
    </Stack>
  );
}

export function InvitationFacts({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation();
  const { opens_at: opens, closes_at: closes } = invitation;
  const window =
    opens !== null && closes !== null
      ? t("supplier.windowText", { from: formatMoment(opens), to: formatMoment(closes) })
      : t("supplier.windowNone");
  return (
    <Facts
      facts={[
        {
          label: invitation.final ? t("supplier.units") : t("supplier.unitsSoFar"),
          value: t("common.units", { count: invitation.units }),
        },
        { label: t("supplier.unitPrice"), value: formatMoney(invitation.unit_price) },
        { label: t("supplier.totalValue"), value: formatMoney(invitation.total) },
        { label: t("supplier.window"), value: window },
      ]}
    />
  );
}
