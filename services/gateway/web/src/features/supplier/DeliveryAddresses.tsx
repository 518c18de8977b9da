import { useTranslation } from "react-i18next";
import { AddressLines } from "@/shared/address/AddressLines";
import { DataTable } from "@/shared/DataTable";
import { formatCount, shortId } from "@/shared/format";
import { MoreButton } from "@/shared/MoreButton";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useDeliveryAddresses } from "./queries";

/** Where the units go, while the campaign is fulfilled and where its terms deliver to addresses. */
export function DeliveryAddresses({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const query = useDeliveryAddresses(campaignId);
  if (query.isError) return <ProblemNotice error={query.error} />;
  const rows = query.data?.pages.flatMap((part) => part.data) ?? [];
  if (rows.length === 0) return null;
  return (
    <Section title={t("fulfillment.addresses")} note={t("fulfillment.addressesNote")}>
      <Stack>
        <DataTable
          caption={t("fulfillment.addresses")}
          rows={rows}
          rowKey={(row) => row.commitment_id}
          columns={[
            {
              label: t("fulfillment.reference"),
              cell: (row) => row.reference ?? shortId(row.commitment_id),
            },
            {
              label: t("fulfillment.units"),
              cell: (row) => formatCount(row.quantity),
              numeric: true,
            },
            {
              label: t("fulfillment.address"),
              cell: (row) => <AddressLines address={row.address} />,
            },
          ]}
        />
        <MoreButton query={query} />
      </Stack>
    </Section>
  );
}
