import { useTranslation } from "react-i18next";
import { AddressLines } from "@/shared/address/AddressLines";
import { formatMoment } from "@/shared/format";
import { Section } from "@/shared/Section";
import { useDeliveryAddress } from "./queries";

/** Where this commitment's units go, as it was said when it was made. Nothing where they are handed over at one point. */
export function DeliveryAddress({ commitmentId }: { commitmentId: string }) {
  const { t } = useTranslation();
  const { data } = useDeliveryAddress(commitmentId);
  if (data === undefined || data.address === null) return null;
  return (
    <Section
      title={t("commitment.deliveryAddress")}
      note={t("commitment.deliveryAddressNote", { moment: formatMoment(data.frozen_at ?? "") })}
    >
      <AddressLines address={data.address} />
    </Section>
  );
}
