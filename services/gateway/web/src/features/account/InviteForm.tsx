import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Role } from "@/api/types";
import { Form } from "@/shared/Form";
import { showFieldErrors } from "@/shared/forms";
import { Hash } from "@/shared/Hash";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { useSuppliers } from "@/shared/suppliers";
import { INVITES } from "./inviting";
import { useInvite, useOpenCampaigns } from "./queries";

interface Values {
  role: Role;
  supplier_id: string;
  campaign_id: string;
  email: string;
  note: string;
}

const FIELDS = ["role", "supplier_id", "campaign_id", "email", "note"] as const;
const EMPTY: Values = {
  role: "participant",
  supplier_id: "",
  campaign_id: "",
  email: "",
  note: "",
};

/** One invitation for one person. Its link is shown once, here. */
export function InviteForm({ role }: { role: Role }) {
  const { t } = useTranslation();
  const invite = useInvite();
  const form = useForm<Values>({ defaultValues: EMPTY });
  const roles = INVITES[role] ?? [];
  const wanted = form.watch("role");
  const campaigns = useOpenCampaigns();
  const suppliers = useSuppliers(roles.includes("supplier"));
  // Only staff open a private campaign to somebody.
  const offered = (campaigns.data ?? []).filter(
    ({ visibility }) => visibility !== "private" || role !== "participant",
  );
  const errors = form.formState.errors;

  const submit = form.handleSubmit((values) => {
    const given = Object.entries(values).filter(([, value]) => value.trim() !== "");
    const meant = given.filter(([name]) => name !== FIELD_OF_OTHERS[values.role]);
    invite.mutate(Object.fromEntries(meant), {
      onSuccess: () => form.reset(EMPTY),
      onError: (error) => showFieldErrors(error, FIELDS, form.setError),
    });
  });

  return (
    <Stack gap="large">
      {invite.data === undefined ? null : (
        <Notice role="status" title={t("invite.made")}>
          <p>{t("invite.madeText")}</p>
          <Hash value={`${window.location.origin}/sign-up#${invite.data.token}`} />
        </Notice>
      )}
      <Form onSubmit={(event) => void submit(event)}>
        {invite.isError ? <ProblemNotice error={invite.error} /> : null}
        {roles.length > 1 ? (
          <NativeSelect
            label={t("account.role")}
            data={roles.map((each) => ({ value: each, label: t(`role.${each}`) }))}
            {...form.register("role")}
          />
        ) : null}
        {wanted === "supplier" ? (
          <NativeSelect
            label={t("invite.supplier")}
            error={errors.supplier_id?.message}
            data={[
              { value: "", label: t("invite.choose") },
              ...(suppliers.data ?? []).map(({ id, display_name }) => ({
                value: id,
                label: display_name,
              })),
            ]}
            {...form.register("supplier_id", {
              validate: (value) => value !== "" || t("invite.supplierNeeded"),
            })}
          />
        ) : null}
        {wanted === "participant" ? (
          <NativeSelect
            label={t("invite.campaign")}
            description={t("invite.campaignNote")}
            error={errors.campaign_id?.message}
            data={[
              { value: "", label: t("invite.noCampaign") },
              ...offered.map(({ id, title }) => ({ value: id, label: title })),
            ]}
            {...form.register("campaign_id")}
          />
        ) : null}
        <TextInput
          type="email"
          label={t("invite.email")}
          description={t("invite.emailNote")}
          autoComplete="off"
          error={errors.email?.message}
          {...form.register("email")}
        />
        <TextInput
          label={t("invite.note")}
          description={t("invite.noteNote")}
          autoComplete="off"
          maxLength={120}
          error={errors.note?.message}
          {...form.register("note")}
        />
        <Button type="submit" loading={invite.isPending}>
          {t("invite.send")}
        </Button>
      </Form>
    </Stack>
  );
}

/** What an invitation of a role never names, whatever the form still holds of it. */
const FIELD_OF_OTHERS: Partial<Record<Role, string>> = {
  participant: "supplier_id",
  supplier: "campaign_id",
};
