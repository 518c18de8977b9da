import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Address } from "@/api/types";
import { AddressForm } from "@/shared/address/AddressForm";
import { AddressLines } from "@/shared/address/AddressLines";
import {
  useAddAddress,
  useAddress,
  useAddresses,
  useChangeAddress,
  useRemoveAddress,
} from "@/shared/address/queries";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { Line, Lines } from "@/shared/Lines";
import { Loaded } from "@/shared/Loaded";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Small } from "@/shared/Small";
import { Stack } from "@/shared/Stack";

/** One's addresses: to add, change, remove; one of them is proposed when joining. */
export function AddressSection() {
  const { t } = useTranslation();
  const query = useAddresses();
  return (
    <Section title={t("address.title")} note={t("address.note")}>
      <Loaded query={query}>
        {(addresses) => (
          <Stack gap="large">
            {addresses.length === 0 ? <p>{t("address.none")}</p> : null}
            <Lines>
              {addresses.map((address) => (
                <AddressLine key={address.id} address={address} />
              ))}
            </Lines>
            <NewAddress />
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function AddressLine({ address }: { address: Address }) {
  const { t } = useTranslation();
  const [changing, setChanging] = useState(false);
  const remove = useRemoveAddress();
  if (changing) {
    return (
      <Line>
        <ChangeAddress addressId={address.id} onDone={() => setChanging(false)} />
      </Line>
    );
  }
  return (
    <Line>
      <div>
        <p>
          <strong>{address.label}</strong>
          {address.default ? ` (${t("address.isDefault")})` : null}
        </p>
        <AddressLines address={address} />
        {address.in_delivery_region ? null : <Small>{t("address.outside")}</Small>}
        {remove.isError ? <ProblemNotice error={remove.error} /> : null}
      </div>
      <Button variant="default" onClick={() => setChanging(true)}>
        {t("common.changeWhat", { what: address.label })}
      </Button>
      <ConfirmAct
        label={t("address.removeNamed", { name: address.label })}
        question={t("address.removeQuestion")}
        confirmLabel={t("address.remove")}
        tone="ending"
        busy={remove.isPending}
        onConfirm={() => remove.mutate(address.id)}
      />
    </Line>
  );
}

function ChangeAddress({ addressId, onDone }: { addressId: string; onDone: () => void }) {
  const { t } = useTranslation();
  const query = useAddress(addressId);
  const change = useChangeAddress(addressId);
  return (
    <Loaded query={query}>
      {({ address, version }) => (
        <AddressForm
          address={address}
          submit={t("address.change")}
          busy={change.isPending}
          error={change.error}
          onSend={(body, onRefused) =>
            change.mutate({ body, version }, { onSuccess: onDone, onError: onRefused })
          }
          onCancel={onDone}
        />
      )}
    </Loaded>
  );
}

function NewAddress() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const add = useAddAddress();
  if (!open) {
    return (
      <div>
        <Button variant="default" onClick={() => setOpen(true)}>
          {t("address.add")}
        </Button>
      </div>
    );
  }
  return (
    <AddressForm
      submit={t("address.keep")}
      busy={add.isPending}
      error={add.error}
      onSend={(body, onRefused) =>
        add.mutate(body, { onSuccess: () => setOpen(false), onError: onRefused })
      }
      onCancel={() => setOpen(false)}
    />
  );
}
