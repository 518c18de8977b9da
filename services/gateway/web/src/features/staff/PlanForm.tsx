import { Button, Textarea, Title } from "@mantine/core";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Form } from "@/shared/Form";
import { showFieldErrors } from "@/shared/forms";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { useMakePlan } from "./queries";

interface PlanFormProps {
  campaignId: string;
  kind: "release" | "reserve_release";
}

/** Making a plan from the records; its submission is the first of two approvals. */
export function PlanForm({ campaignId, kind }: PlanFormProps) {
  const { t } = useTranslation();
  const make = useMakePlan(campaignId);
  const form = useForm<{ reason: string }>({ defaultValues: { reason: "" } });

  const submit = form.handleSubmit(({ reason }) =>
    make.mutate(
      { kind, reason: reason.trim() },
      { onError: (error) => showFieldErrors(error, ["reason"], form.setError) },
    ),
  );

  return (
    <Form width="wide" onSubmit={(event) => void submit(event)}>
      <div>
        <Title order={3}>
          {t("plan.make")}: {t(kind === "release" ? "plan.release" : "plan.reserve_release")}
        </Title>
        <p>{t("plan.makeText")}</p>
      </div>
      {make.isError ? <ProblemNotice error={make.error} /> : null}
      <Textarea
        label={t("plan.reason")}
        autosize
        minRows={2}
        error={form.formState.errors.reason?.message}
        {...form.register("reason", {
          validate: (text) => text.trim() !== "" || t("plan.needReason"),
        })}
      />
      <Button type="submit" loading={make.isPending}>
        {t("plan.submit")}
      </Button>
    </Form>
  );
}
