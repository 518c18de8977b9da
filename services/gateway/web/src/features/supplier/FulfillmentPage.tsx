import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCampaign } from "@/shared/campaign";
import { EmptyNote } from "@/shared/EmptyNote";
import { Loaded } from "@/shared/Loaded";
import { Loading } from "@/shared/Loading";
import { MoreButton } from "@/shared/MoreButton";
import { Page } from "@/shared/Page";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import { DeliverForm } from "./DeliverForm";
import { DeliveryAddresses } from "./DeliveryAddresses";
import { DeliveryTable } from "./DeliveryTable";
import { DispatchForm } from "./DispatchForm";
import { useDeliveries } from "./queries";
import { StatementSection } from "./StatementSection";
import classes from "./Supplier.module.css";

/** Choose commitments, record them as dispatched or as delivered. */
export function FulfillmentPage() {
  const { t } = useTranslation();
  const { campaignId } = useParams({ from: "/supplier/campaigns/$campaignId" });
  const campaign = useCampaign(campaignId);
  return (
    <RequireRole needs="supplier">
      {() => (
        <Loaded query={campaign} blocks={2}>
          {(data) => (
            <Page
              title={`${t("fulfillment.title")}: ${data.title}`}
              eyebrow={<StateWord words={data.state_words} tone={toneOf(data.state)} />}
            >
              <Stack gap="large">
                <Deliveries campaignId={campaignId} />
                <StatementSection campaignId={campaignId} />
              </Stack>
            </Page>
          )}
        </Loaded>
      )}
    </RequireRole>
  );
}

function Deliveries({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const query = useDeliveries(campaignId);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());

  if (query.isError) return <ProblemNotice error={query.error} />;
  if (query.data === undefined) return <Loading blocks={2} />;
  const rows = query.data.pages.flatMap((part) => part.data);
  if (rows.length === 0) {
    return <EmptyNote title={t("fulfillment.empty")} text={t("fulfillment.emptyText")} />;
  }
  const picked = rows.filter((row) => chosen.has(row.id));
  const form = { campaignId, picked, onDone: () => setChosen(new Set()) };
  return (
    <Stack gap="large">
      <Section title={t("fulfillment.chosen", { count: picked.length })}>
        <Stack>
          <DeliveryTable rows={rows} chosen={chosen} onChoose={setChosen} />
          <MoreButton query={query} />
        </Stack>
      </Section>
      <DeliveryAddresses campaignId={campaignId} />
      <div className={classes.pair}>
        <DispatchForm {...form} />
        <DeliverForm {...form} />
      </div>
    </Stack>
  );
}
