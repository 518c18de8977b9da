import { Button, Checkbox, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Address } from "@/api/types";
import { Form } from "@/shared/Form";
import { showFieldErrors } from "@/shared/forms";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import type { AddressBody } from "./queries";

interface Values {
  label: string;
  recipient: string;
  first: string;
  second: string;
  city: string;
  region: string;
  postal_code: string;
  default: boolean;
}

interface AddressFormProps {
  /** What is changed; a new address without it. */
  address?: Address;
  submit: string;
  busy: boolean;
  error: unknown;
  onSend: (body: AddressBody, onRefused: (error: unknown) => void) => void;
  onCancel?: (() => void) | undefined;
}

const FIELDS = ["label", "recipient", "city", "region", "postal_code"] as const;
/** What the server takes, said in words before it is asked; it judges again. */
const LETTERS = /^[ -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2015\u2018\u2019\u201c\u201d]*$/;
const STATE = /^[A-Za-z]{2}$/;
const POSTAL_CODE = /^[0-9]{5}(?:-[0-9]{4})?$/;
const EMPTY: Values = {
  label: "",
  recipient: "",
  first: "",
  second: "",
  city: "",
  region: "WA",
  postal_code: "",
  default: false,
};

/** One address, to be added or changed. */
export function AddressForm(props: AddressFormProps) {
  const { address, submit, busy, error, onSend, onCancel } = props;
  const { t } = useTranslation();
  const form = useForm<Values>({ defaultValues: address ? valuesOf(address) : EMPTY });
  const { errors } = form.formState;
  const letters = (value: string) => LETTERS.test(value) || t("address.letters");
  const needed = (value: string) => (value.trim() === "" ? t("address.needed") : letters(value));
  const state = (value: string) => STATE.test(value.trim()) || t("address.stateForm");
  const code = (value: string) => POSTAL_CODE.test(value.trim()) || t("address.codeForm");
  const send = form.handleSubmit((values) =>
    onSend(bodyOf(values, address), (refusal) => showFieldErrors(refusal, FIELDS, form.setError)),
  );

  return (
    <Form onSubmit={(event) => void send(event)}>
      {error ? <ProblemNotice error={error} /> : null}
      <TextInput
        label={t("address.label")}
        description={t("address.labelNote")}
        autoComplete="off"
        maxLength={40}
        error={errors.label?.message}
        {...form.register("label", { validate: needed })}
      />
      <TextInput
        label={t("address.recipient")}
        autoComplete="name"
        maxLength={100}
        error={errors.recipient?.message}
        {...form.register("recipient", { validate: needed })}
      />
      <TextInput
        label={t("address.first")}
        autoComplete="address-line1"
        maxLength={100}
        error={errors.first?.message}
        {...form.register("first", { validate: needed })}
      />
      <TextInput
        label={t("address.second")}
        autoComplete="address-line2"
        maxLength={100}
        error={errors.second?.message}
        {...form.register("second", { validate: letters })}
      />
      <TextInput
        label={t("address.city")}
        autoComplete="address-level2"
        maxLength={80}
        error={errors.city?.message}
        {...form.register("city", { validate: needed })}
      />
      <TextInput
        label={t("address.region")}
        description={t("address.regionNote")}
        autoComplete="address-level1"
        maxLength={2}
        error={errors.region?.message}
        {...form.register("region", { validate: state })}
      />
      <TextInput
        label={t("address.postal_code")}
        autoComplete="postal-code"
        inputMode="numeric"
        maxLength={10}
        error={errors.postal_code?.message}
        {...form.register("postal_code", { validate: code })}
      />
      {address?.default ? null : (
        <Checkbox label={t("address.makeDefault")} {...form.register("default")} />
      )}
      <Stack direction="row">
        <Button type="submit" loading={busy}>
          {submit}
        </Button>
        {onCancel === undefined ? null : (
          <Button variant="default" disabled={busy} onClick={onCancel}>
            {t("common.cancel")}
          </Button>
        )}
      </Stack>
    </Form>
  );
}

function valuesOf(address: Address): Values {
  const { label, recipient, lines, city, region, postal_code } = address;
  const second = lines.slice(1).join(", ");
  return {
    label,
    recipient,
    first: lines[0] ?? "",
    second,
    city,
    region,
    postal_code,
    default: address.default,
  };
}

function bodyOf(values: Values, before: Address | undefined): AddressBody {
  const said = (text: string) => text.trim();
  return {
    label: said(values.label),
    recipient: said(values.recipient),
    lines: [values.first, values.second].map(said).filter((line) => line !== ""),
    city: said(values.city),
    region: said(values.region).toUpperCase(),
    postal_code: said(values.postal_code),
    country: "US",
    default: values.default || before?.default === true,
  };
}
