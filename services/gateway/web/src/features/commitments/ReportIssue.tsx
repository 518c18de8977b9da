import { Button, FileInput, Textarea } from "@mantine/core";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { showFieldErrors } from "@/shared/forms";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import classes from "./Commitments.module.css";
import { fingerprintOf } from "./fingerprint";
import { useReportIssue } from "./queries";

interface Values {
  description: string;
}

/** A fault found during the inspection, with the fingerprints of its photos. */
export function ReportIssue({ commitmentId }: { commitmentId: string }) {
  const { t } = useTranslation();
  const report = useReportIssue(commitmentId);
  const [photos, setPhotos] = useState<File[]>([]);
  const form = useForm<Values>({ defaultValues: { description: "" } });

  const submit = form.handleSubmit(async ({ description }) => {
    const digests = await Promise.all(photos.map(fingerprintOf));
    report.mutate(
      { description: description.trim(), photo_digests: digests },
      { onError: (error) => showFieldErrors(error, ["description"], form.setError) },
    );
  });

  return (
    <Section title={t("commitment.issueTitle")} note={t("commitment.issueText")}>
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        {report.isError ? <ProblemNotice error={report.error} /> : null}
        <Textarea
          label={t("commitment.issueDescription")}
          autosize
          minRows={3}
          error={form.formState.errors.description?.message}
          {...form.register("description", {
            validate: (text) => text.trim() !== "" || t("commitment.issueNeeded"),
          })}
        />
        <FileInput
          label={t("commitment.issuePhotos")}
          accept="image/*"
          multiple
          clearable
          value={photos}
          onChange={setPhotos}
        />
        <Button type="submit" loading={report.isPending || form.formState.isSubmitting}>
          {t("commitment.issueSend")}
        </Button>
      </form>
    </Section>
  );
}
