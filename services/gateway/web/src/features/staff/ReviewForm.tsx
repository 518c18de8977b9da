import { Button, Radio, Textarea, Title } from "@mantine/core";
import { Controller, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Form } from "@/shared/Form";
import { showFieldErrors } from "@/shared/forms";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { useReview } from "./queries";
import { QUESTIONS, type ReviewValues, reviewBody } from "./review";

const EMPTY: ReviewValues = {
  doctrine_fit: "",
  risks_stated: "",
  operable: "",
  precedent_safe: "",
  decision: "",
  reason: "",
  constraints: "",
};

/** The four questions, the decision they allow, and its reason. */
export function ReviewForm({ campaignId }: { campaignId: string }) {
  const { t } = useTranslation();
  const review = useReview(campaignId);
  const form = useForm<ReviewValues>({ defaultValues: EMPTY });
  const { errors } = form.formState;
  const decision = form.watch("decision");

  const submit = form.handleSubmit((values) => {
    const body = reviewBody(values);
    if (body === null) return;
    review.mutate(body, {
      onError: (error) =>
        showFieldErrors(error, ["decision", "reason", "constraints"], form.setError),
    });
  });

  function checkDecision(value: string): true | string {
    if (value === "") return t("review.needDecision");
    const failed = QUESTIONS.some((question) => form.getValues(question) === "no");
    return failed && value.startsWith("accept") ? t("review.failedAnswer") : true;
  }

  return (
    <Form width="wide" onSubmit={(event) => void submit(event)}>
      <div>
        <Title order={3}>{t("review.title")}</Title>
        <p>{t("review.lead")}</p>
      </div>
      {review.isError ? <ProblemNotice error={review.error} /> : null}
      {QUESTIONS.map((question) => (
        <Controller
          key={question}
          control={form.control}
          name={question}
          rules={{ required: t("review.needAnswer") }}
          render={({ field }) => (
            <Radio.Group
              label={t(`review.question.${question}`)}
              error={errors[question]?.message}
              {...field}
            >
              <Radio mt="xs" value="yes" label={t("review.yes")} />
              <Radio mt="xs" value="no" label={t("review.no")} />
            </Radio.Group>
          )}
        />
      ))}
      <Controller
        control={form.control}
        name="decision"
        rules={{ validate: checkDecision }}
        render={({ field }) => (
          <Radio.Group label={t("review.decision")} error={errors.decision?.message} {...field}>
            <Radio mt="xs" value="accept" label={t("review.accept")} />
            <Radio
              mt="xs"
              value="accept_with_constraints"
              label={t("review.accept_with_constraints")}
            />
            <Radio mt="xs" value="defer" label={t("review.defer")} />
            <Radio mt="xs" value="reject" label={t("review.reject")} />
          </Radio.Group>
        )}
      />
      {decision === "accept_with_constraints" ? (
        <Textarea
          label={t("review.constraints")}
          autosize
          minRows={2}
          error={errors.constraints?.message}
          {...form.register("constraints", {
            validate: (text) => text.trim() !== "" || t("review.needConstraints"),
          })}
        />
      ) : null}
      <Textarea
        label={t("review.reason")}
        description={decision === "" ? null : t(effectOf(decision))}
        autosize
        minRows={2}
        error={errors.reason?.message}
        {...form.register("reason", {
          validate: (text) => text.trim() !== "" || t("review.needReason"),
        })}
      />
      <Button type="submit" loading={review.isPending}>
        {t("review.send")}
      </Button>
    </Form>
  );
}

function effectOf(decision: Exclude<ReviewValues["decision"], "">) {
  if (decision === "defer") return "review.effectDefer";
  return decision === "reject" ? "review.effectReject" : "review.effectAccept";
}
