import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Page } from "@/shared/Page";

/** What is shown when a page itself breaks: nothing that was done is lost. */
export function PageFault() {
  const { t } = useTranslation();
  return (
    <Page title={t("problem.unexpected.title")} lead={t("problem.unexpected.next")} width="narrow">
      <Button onClick={() => window.location.reload()}>{t("common.again")}</Button>
    </Page>
  );
}
