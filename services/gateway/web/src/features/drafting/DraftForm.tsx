import { Button } from "@mantine/core";
import { FormProvider } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { Account } from "@/api/types";
import { Form } from "@/shared/Form";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { ConflictSection } from "./ConflictSection";
import { PreviewSection } from "./PreviewSection";
import { ProductFields } from "./ProductFields";
import { ReadinessFields } from "./ReadinessFields";
import { TermsFields } from "./TermsFields";
import { type Stored, useDraftForm } from "./useDraftForm";
import { WhoFields } from "./WhoFields";

interface DraftFormProps {
  account: Account;
  /** The draft to change; a new one without. */
  stored?: Stored;
}

/** Everything a draft says, in one form; below it what people will read. */
export function DraftForm({ account, stored }: DraftFormProps) {
  const { t } = useTranslation();
  const draft = useDraftForm(account, stored ?? null);
  const { conflict, base, form } = draft;
  return (
    <FormProvider {...form}>
      <Stack gap="large">
        {draft.restored ? (
          <Notice role="status">
            <p>{t("draft.restored")}</p>
            <div>
              <Button variant="default" onClick={() => draft.startFrom(stored?.base ?? null)}>
                {t(stored === undefined ? "draft.startEmpty" : "draft.startStored")}
              </Button>
            </div>
          </Notice>
        ) : null}
        <Form width="wide" onSubmit={(event) => void draft.save(event)}>
          <ProductFields />
          <TermsFields />
          <WhoFields />
          <ReadinessFields known={stored !== undefined} />
          {conflict !== null && base !== null ? (
            <ConflictSection
              conflict={conflict}
              stored={base}
              onTakeStored={() => draft.startFrom(base)}
            />
          ) : null}
          {draft.error ? <ProblemNotice error={draft.error} /> : null}
          {draft.running ? (
            <Notice role="status">
              <p>{t("draft.running")}</p>
            </Notice>
          ) : null}
          {conflict !== null && !conflict.open ? null : (
            <Button type="submit" loading={draft.busy}>
              {t(conflict === null ? "draft.save" : "draft.saveMine")}
            </Button>
          )}
        </Form>
        <PreviewSection storedCloseAt={base?.content.terms.close_at ?? null} />
      </Stack>
    </FormProvider>
  );
}
