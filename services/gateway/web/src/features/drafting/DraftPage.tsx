import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { Notice } from "@/shared/Notice";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { DraftForm } from "./DraftForm";
import { contentOf } from "./draft";
import { useVersion, type Version } from "./queries";

/** The role that drafts campaigns and changes its own drafts. */
const AUTHOR = "operations";

/** Writing a new campaign. */
export function NewDraftPage() {
  const { t } = useTranslation();
  return (
    <RequireRole needs="staff">
      {(account) => (
        <Page title={t("draft.newTitle")} lead={t("draft.lead")} width="narrow">
          {account.role === AUTHOR ? (
            <DraftForm account={account} />
          ) : (
            <Notice>
              <p>{t("staffCampaign.otherRole", { role: t(`role.${AUTHOR}`) })}</p>
            </Notice>
          )}
        </Page>
      )}
    </RequireRole>
  );
}

/** Changing one's own draft. */
export function EditDraftPage() {
  const { campaignId } = useParams({ from: "/staff/campaigns/$campaignId/edit" });
  const version = useVersion(campaignId);
  return (
    <RequireRole needs="staff">
      {(account) => (
        <Loaded query={version} blocks={4}>
          {(read) => <Editing key={campaignId} read={read} account={account} />}
        </Loaded>
      )}
    </RequireRole>
  );
}

function Editing({ read, account }: { read: Version; account: Account }) {
  const { t } = useTranslation();
  // What is read later is met by the form itself; it never takes the form away with what is typed.
  const [{ campaign, etag }] = useState(read);
  const mine = account.role === AUTHOR && campaign.staff?.author_id === account.subject_id;
  return (
    <Page
      title={t("draft.editTitle", { title: campaign.title })}
      lead={t("draft.lead")}
      width="narrow"
    >
      {mine && campaign.state === "DRAFT" ? (
        <DraftForm
          account={account}
          stored={{ campaignId: campaign.id, base: { content: contentOf(campaign), etag } }}
        />
      ) : (
        <Notice>
          <p>{t(mine ? "draft.noDraft" : "draft.notYours")}</p>
          <p>
            <TextLink to="/staff/campaigns/$campaignId" params={{ campaignId: campaign.id }}>
              {t("draft.staffPage")}
            </TextLink>
          </p>
        </Notice>
      )}
    </Page>
  );
}
