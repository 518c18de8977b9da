import { useTranslation } from "react-i18next";
import { Fields } from "@/shared/Form";
import { Section } from "@/shared/Section";
import { Field } from "./Field";
import { Row } from "./Row";

/** Who answers for the campaign, and what happens when something fails. Stored answers are shown to nobody. */
export function ReadinessFields({ known }: { known: boolean }) {
  const { t } = useTranslation();
  return (
    <Section
      title={t("draft.readiness")}
      note={t(known ? "draft.readinessKept" : "draft.readinessNote")}
    >
      <Fields width="wide">
        <Row>
          <Field path="readiness.owner" />
          <Field path="readiness.backup" />
        </Row>
        <Field path="readiness.what_fails" long />
        <Field path="readiness.who_notices" long />
        <Field path="readiness.what_then" long />
      </Fields>
    </Section>
  );
}
