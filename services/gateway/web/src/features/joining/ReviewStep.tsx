import { Button, Checkbox, Title } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Address, Campaign } from "@/api/types";
import { AddressLines } from "@/shared/address/AddressLines";
import { Facts } from "@/shared/Facts";
import { addDays, formatDay, formatMoment, formatMoney, times } from "@/shared/format";
import { Hash } from "@/shared/Hash";
import { RailHolder } from "@/shared/RailWords";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import classes from "./JoinPage.module.css";

/** How long a supplier has to answer after the close; the platform's published window. */
const ACCEPTANCE_WINDOW_DAYS = 7;

interface ReviewStepProps {
  campaign: Campaign;
  quantity: number;
  /** Where the units go, when the terms deliver to an address. */
  address: Address | undefined;
  onChange: () => void;
  onOtherAddress: () => void;
  onDone: () => void;
}

/** Check your answers: what, how much, when, who holds it, and the three outcomes with dates. */
export function ReviewStep(props: ReviewStepProps) {
  const { campaign, quantity, address, onChange, onOtherAddress, onDone } = props;
  const { t } = useTranslation();
  const form = useForm({ defaultValues: { consent: false } });
  const submit = form.handleSubmit(onDone);
  const units = (
    <span className={classes.answer}>
      {t("common.units", { count: quantity })}
      <Button variant="default" size="compact-sm" onClick={onChange}>
        {t("common.changeWhat", { what: t("join.reviewUnits").toLowerCase() })}
      </Button>
    </span>
  );
  return (
    <Section title={t("join.review")}>
      <Stack gap="large">
        <Facts
          facts={[
            { label: t("join.reviewCampaign"), value: campaign.title },
            { label: t("join.reviewUnits"), value: units },
            { label: t("join.reviewUnit"), value: formatMoney(campaign.unit_price) },
            {
              label: t("join.reviewTotal"),
              value: (
                <span className={classes.total}>
                  {formatMoney(times(campaign.unit_price, quantity))}
                </span>
              ),
            },
            ...(address === undefined
              ? []
              : [
                  {
                    label: t("join.reviewAddress"),
                    value: (
                      <span className={classes.answer}>
                        <AddressLines address={address} />
                        <Button variant="default" size="compact-sm" onClick={onOtherAddress}>
                          {t("common.changeWhat", { what: t("join.reviewAddress").toLowerCase() })}
                        </Button>
                      </span>
                    ),
                  },
                ]),
            { label: t("join.reviewCharged"), value: t("join.reviewChargedText") },
            { label: t("join.reviewHolder"), value: <RailHolder /> },
            {
              label: t("join.reviewTerms"),
              value: <Hash value={campaign.terms_hash} />,
            },
          ]}
        />
        <Outcomes campaign={campaign} />
        <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
          <Checkbox
            label={t("join.consent")}
            error={form.formState.errors.consent?.message}
            {...form.register("consent", { validate: (given) => given || t("join.consentNeeded") })}
          />
          <Button type="submit">{t("join.toCard")}</Button>
        </form>
      </Stack>
    </Section>
  );
}

function Outcomes({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const windowEnd = addDays(campaign.close_at, ACCEPTANCE_WINDOW_DAYS);
  const deliveryEnd = addDays(windowEnd, campaign.terms.delivery_window_days);
  return (
    <div>
      <Title order={3} mb="xs">
        {t("join.outcomes")}
      </Title>
      <ol className={classes.outcomes}>
        <li>{t("join.outcomeMissed", { close: formatMoment(campaign.close_at) })}</li>
        <li>{t("join.outcomeDeclined", { window: formatMoment(windowEnd) })}</li>
        <li>{t("join.outcomeCompleted", { delivery: formatDay(deliveryEnd) })}</li>
      </ol>
    </div>
  );
}
