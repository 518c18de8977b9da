import { NativeSelect } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { EmptyNote } from "@/shared/EmptyNote";
import { Loading } from "@/shared/Loading";
import { MoreButton } from "@/shared/MoreButton";
import { Page } from "@/shared/Page";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { CampaignCard } from "./CampaignCard";
import classes from "./CampaignListPage.module.css";
import { HowItWorks } from "./HowItWorks";
import { useCampaigns } from "./queries";

/** The state filter's values with their words in the catalogue. */
const FILTERS = [
  ["", "campaigns.filterAll"],
  ["ACTIVE", "campaigns.filterActive"],
  ["TARGET_ACHIEVED", "campaigns.filterTarget"],
  ["COMPLETED", "campaigns.filterCompleted"],
  ["CLOSED", "campaigns.filterClosed"],
] as const;

export function CampaignListPage() {
  const { t } = useTranslation();
  const { state } = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  const campaigns = useCampaigns(state);

  function filter(value: string) {
    void navigate({ search: value === "" ? {} : { state: value }, replace: true });
  }

  return (
    <Page title={t("campaigns.title")} lead={t("campaigns.lead")}>
      <Stack gap="large">
        <HowItWorks />
        <div className={classes.filter}>
          <NativeSelect
            label={t("campaigns.filter")}
            value={state ?? ""}
            onChange={(event) => filter(event.currentTarget.value)}
            data={FILTERS.map(([value, words]) => ({ value, label: t(words) }))}
          />
        </div>
        <CampaignParts query={campaigns} />
        <MoreButton query={campaigns} />
      </Stack>
    </Page>
  );
}

function CampaignParts({ query }: { query: ReturnType<typeof useCampaigns> }) {
  const { t } = useTranslation();
  if (query.isError) return <ProblemNotice error={query.error} />;
  if (query.data === undefined) return <Loading blocks={3} />;
  const campaigns = query.data.pages.flatMap((part) => part.data);
  if (campaigns.length === 0) {
    return <EmptyNote title={t("campaigns.empty")} text={t("campaigns.emptyText")} />;
  }
  return (
    <ul className={classes.cards}>
      {campaigns.map((campaign) => (
        <li key={campaign.id}>
          <CampaignCard campaign={campaign} />
        </li>
      ))}
    </ul>
  );
}
