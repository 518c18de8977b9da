import { Button, Radio } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Address } from "@/api/types";
import classes from "@/shared/address/Address.module.css";
import { AddressForm } from "@/shared/address/AddressForm";
import { AddressLines } from "@/shared/address/AddressLines";
import { useAddAddress } from "@/shared/address/queries";
import { Form } from "@/shared/Form";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

interface DeliveryStepProps {
  addresses: readonly Address[];
  chosen: string | undefined;
  onDone: (addressId: string) => void;
}

/** Which of one's addresses the units go to; a new one can be added here. */
export function DeliveryStep({ addresses, chosen, onDone }: DeliveryStepProps) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const add = useAddAddress();
  const empty = addresses.length === 0;
  return (
    <Section title={t("join.delivery")} note={t("join.deliveryNote")}>
      <Stack gap="large">
        {empty ? null : <Choose addresses={addresses} chosen={chosen} onDone={onDone} />}
        {adding || empty ? (
          <AddressForm
            submit={t("address.keep")}
            busy={add.isPending}
            error={add.error}
            onSend={(body, onRefused) =>
              add.mutate(body, { onSuccess: () => setAdding(false), onError: onRefused })
            }
            onCancel={empty ? undefined : () => setAdding(false)}
          />
        ) : (
          <div>
            <Button variant="default" onClick={() => setAdding(true)}>
              {t("address.add")}
            </Button>
          </div>
        )}
      </Stack>
    </Section>
  );
}

function Choose({ addresses, chosen, onDone }: DeliveryStepProps) {
  const { t } = useTranslation();
  const usable = addresses.filter((address) => address.in_delivery_region);
  const proposed = usable.find(({ id }) => id === chosen) ?? usable[0];
  const [picked, setPicked] = useState<string>();
  const [missing, setMissing] = useState(false);
  const value = picked ?? proposed?.id;

  function send(event: FormEvent) {
    event.preventDefault();
    setMissing(value === undefined);
    if (value !== undefined) onDone(value);
  }

  return (
    <Form onSubmit={send}>
      <Radio.Group
        label={t("join.deliveryLabel")}
        error={missing ? t("join.deliveryNeeded") : undefined}
        value={value ?? null}
        onChange={setPicked}
      >
        <div className={classes.choices}>
          {addresses.map((address) => (
            <Radio
              key={address.id}
              value={address.id}
              disabled={!address.in_delivery_region}
              label={address.label}
              description={
                address.in_delivery_region ? (
                  <AddressLines address={address} />
                ) : (
                  t("address.outside")
                )
              }
            />
          ))}
        </div>
      </Radio.Group>
      <Button type="submit">{t("common.continue")}</Button>
    </Form>
  );
}
