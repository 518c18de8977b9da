import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Invitation } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatBasisPoints, formatMinor, formatMoney } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { ButtonLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import { TermsFacts } from "@/shared/TermsFacts";
import { AcceptForm } from "./AcceptForm";
import { DeclineForm } from "./DeclineForm";
import { InvitationFacts } from "./InvitationListPage";
import { useInvitations } from "./queries";
import classes from "./Supplier.module.css";

/** One invitation: the facts, what accepting binds to, the exact terms, and the two answers. */
export function InvitationPage() {
  const { t } = useTranslation();
  const { invitationId } = useParams({ from: "/supplier/invitations/$invitationId" });
  const query = useInvitations();
  return (
    <RequireRole needs="supplier">
      {() => (
        <Loaded query={query} blocks={3}>
          {(invitations) => {
            const invitation = invitations.find(({ id }) => id === invitationId);
            return invitation === undefined ? (
              <Page title={t("problem.notFound.title")} width="narrow">
                <EmptyNote title={t("supplier.empty")} text={t("supplier.emptyText")} />
              </Page>
            ) : (
              <Shown invitation={invitation} />
            );
          }}
        </Loaded>
      )}
    </RequireRole>
  );
}

function Shown({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation();
  const mayDecline = invitation.state === "invited" || invitation.state === "open";
  return (
    <Page
      title={invitation.campaign_title}
      eyebrow={<StateWord words={invitation.state_words} tone={toneOf(invitation.state)} />}
    >
      <Stack gap="large">
        <Section title={t("invitation.asked")}>
          <InvitationFacts invitation={invitation} />
        </Section>
        <Section title={t("invitation.binding")} tone="trust">
          <Binding invitation={invitation} />
        </Section>
        <Section title={t("campaign.terms")}>
          <TermsFacts terms={invitation.terms} hash={invitation.terms_hash} />
        </Section>
        {invitation.state === "open" ? <AcceptForm invitation={invitation} /> : null}
        {invitation.state === "invited" ? <p>{t("invitation.declareEarly")}</p> : null}
        {mayDecline ? <DeclineForm invitationId={invitation.id} /> : null}
        {invitation.state === "accepted" ? (
          <div>
            <ButtonLink
              to="/supplier/campaigns/$campaignId"
              params={{ campaignId: invitation.campaign_id }}
            >
              {t("supplier.fulfil")}
            </ButtonLink>
          </div>
        ) : null}
      </Stack>
    </Page>
  );
}

function Binding({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation();
  const { terms, total } = invitation;
  return (
    <ul className={classes.binding}>
      <li>
        {t("invitation.bindingUnits", {
          units: t("common.units", { count: invitation.units }),
          price: formatMoney(invitation.unit_price),
          total: formatMoney(total),
          fee: formatBasisPoints(terms.fee_basis_points),
        })}
      </li>
      <li>{t("invitation.bindingDelivery", { days: terms.delivery_window_days })}</li>
      <li>
        {t("invitation.bindingPayout", {
          net: formatMinor(netOf(total.amount, terms.fee_basis_points), total.currency),
        })}
      </li>
      <li>{t("invitation.bindingFaults")}</li>
      <li>{t("invitation.bindingFail")}</li>
    </ul>
  );
}

const BASIS_POINTS = 10_000n;

/** What is left of a gross amount after the fee; the ledger's own figure comes with the plan. */
function netOf(grossMinor: number, feeBasisPoints: number): bigint {
  const gross = BigInt(grossMinor);
  return gross - (gross * BigInt(feeBasisPoints)) / BASIS_POINTS;
}
