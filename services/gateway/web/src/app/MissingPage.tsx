import { useTranslation } from "react-i18next";
import { ButtonLink } from "@/shared/links";
import { Page } from "@/shared/Page";

export function MissingPage() {
  const { t } = useTranslation();
  return (
    <Page title={t("problem.notFound.title")} lead={t("problem.notFound.next")} width="narrow">
      <ButtonLink to="/">{t("commitments.toCampaigns")}</ButtonLink>
    </Page>
  );
}
