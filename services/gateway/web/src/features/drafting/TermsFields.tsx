import { useTranslation } from "react-i18next";
import { Fields } from "@/shared/Form";
import { Section } from "@/shared/Section";
import { Field } from "./Field";
import { Row } from "./Row";

/** Every field of the document that participants and the supplier accept. */
export function TermsFields() {
  const { t } = useTranslation();
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Section title={t("campaign.terms")} note={t("draft.termsNote")}>
      <Fields width="wide">
        <Field path="terms.title" />
        <Row>
          <Field path="terms.target_units" inputMode="numeric" />
          <Field path="terms.capacity_units" inputMode="numeric" />
        </Row>
        <Row>
          <Field path="terms.min_units" inputMode="numeric" />
          <Field path="terms.max_units" note={t("draft.maxNote")} inputMode="numeric" />
        </Row>
        <Row>
          <Field path="terms.unit_price_minor" note={t("draft.priceNote")} inputMode="decimal" />
          <Field path="terms.currency" note={t("draft.currencyNote")} />
        </Row>
        <Row>
          <Field path="terms.fee_basis_points" note={t("draft.feeNote")} inputMode="decimal" />
          <Field
            path="terms.delivery_window_days"
            note={t("draft.windowNote")}
            inputMode="numeric"
          />
        </Row>
        <Field path="terms.close_at" note={t("draft.closeNote", { zone })} type="datetime-local" />
        <Field path="terms.delivery_model" />
        <Field path="terms.delivery_terms" long />
        <Field path="terms.refund_terms" long />
      </Fields>
    </Section>
  );
}
