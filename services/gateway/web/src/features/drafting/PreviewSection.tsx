import { Title } from "@mantine/core";
import { useFormContext, useWatch } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { ProductFacts } from "@/shared/ProductFacts";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { TermsFacts } from "@/shared/TermsFacts";
import { type DraftValues, Reading } from "./draft";

/** What people will read, of what is typed now. */
export function PreviewSection({ storedCloseAt }: { storedCloseAt: string | null }) {
  const { t } = useTranslation();
  const { control } = useFormContext<DraftValues>();
  const values = useWatch({ control }) as DraftValues;
  const { body, faults } = new Reading(values, storedCloseAt);
  // What is asked of staff alone is no part of what people read.
  const unread = faults.filter(([path]) => !path.startsWith("readiness."));
  return (
    <Section title={t("draft.preview")} note={t("draft.previewNote")} tone="trust">
      {unread.length > 0 ? (
        <p>{t("draft.previewMissing", { count: unread.length })}</p>
      ) : (
        <Stack gap="large">
          <Title order={3}>{body.terms.title}</Title>
          <TermsFacts terms={body.terms} />
          <div>
            <Title order={3}>{body.product.name}</Title>
            <ProductFacts product={body.product} headings={4} />
          </div>
        </Stack>
      )}
    </Section>
  );
}
