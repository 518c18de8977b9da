import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Escrow } from "@/api/types";
import { Downloads } from "@/shared/Downloads";
import { formatMoment } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { Notice } from "@/shared/Notice";
import { Page } from "@/shared/Page";
import { RailWords } from "@/shared/RailWords";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { CheckList } from "./CheckList";
import { FlowBar } from "./FlowBar";
import { FlowFigures } from "./FlowFigures";
import { useEscrow } from "./queries";
import { TransferTable } from "./TransferTable";

interface EscrowPartsProps {
  campaignId: string | null;
  title: string;
  eyebrow?: ReactNode;
}

/** Sums, their comparison with the entries, every transfer, and how holding works. */
export function EscrowParts({ campaignId, title, eyebrow }: EscrowPartsProps) {
  const { t } = useTranslation();
  const query = useEscrow(campaignId);
  const files = campaignId === null ? "/v1/transparency" : `/v1/campaigns/${campaignId}/escrow`;
  return (
    <Page title={title} eyebrow={eyebrow} lead={t("escrow.lead")}>
      <Stack gap="large">
        <Loaded query={query} blocks={3}>
          {(escrow) => <Sums escrow={escrow} />}
        </Loaded>
        <Section title={t("escrow.transfers")} note={t("escrow.transfersNote")}>
          <Stack>
            <Downloads
              files={[
                { label: t("escrow.csv"), href: `${files}/export?format=csv` },
                { label: t("escrow.json"), href: `${files}/export?format=json` },
              ]}
            />
            <TransferTable campaignId={campaignId} />
          </Stack>
        </Section>
        <Section title={t("escrow.how")} tone="trust">
          <Stack>
            <RailWords />
          </Stack>
        </Section>
      </Stack>
    </Page>
  );
}

function Sums({ escrow }: { escrow: Escrow }) {
  const { t } = useTranslation();
  const moment = formatMoment(escrow.checked_at);
  return (
    <>
      {escrow.equal ? (
        <Notice title={t("escrow.equal", { moment })} />
      ) : (
        <Notice tone="trouble" title={t("escrow.notEqual", { moment })} />
      )}
      {escrow.sums.length === 0 ? <p>{t("escrow.empty")}</p> : null}
      {escrow.sums.map((sums) => (
        <Section key={sums.currency} title={t("escrow.sums", { currency: sums.currency })}>
          <Stack>
            <FlowBar sums={sums} />
            <FlowFigures sums={sums} />
          </Stack>
        </Section>
      ))}
      <Section title={t("escrow.checks")} note={t("escrow.checksNote")}>
        <CheckList checks={escrow.checks} />
      </Section>
    </>
  );
}
