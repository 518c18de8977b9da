import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, read } from "@/api/client";
import { Facts } from "@/shared/Facts";
import { formatBasisPoints, formatMoney } from "@/shared/format";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

/** The fee schedule: what the fee is, on what, and when it is taken. */
export function FeesSection({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: ["campaign", campaignId, "fees"],
    queryFn: () =>
      read(
        api.GET("/v1/campaigns/{campaign_id}/fees", {
          params: { path: { campaign_id: campaignId } },
        }),
      ),
  });
  if (data === undefined) return null;
  return (
    <Section title={t("fees.title")}>
      <Stack>
        {data.words.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        <Facts
          facts={[
            { label: t("fees.rate"), value: formatBasisPoints(data.basis_points) },
            { label: t("fees.unit"), value: formatMoney(data.fee_in_unit_price) },
            { label: t("fees.target"), value: formatMoney(data.fee_at_target) },
            { label: t("fees.taken"), value: formatMoney(data.taken) },
          ]}
        />
      </Stack>
    </Section>
  );
}
