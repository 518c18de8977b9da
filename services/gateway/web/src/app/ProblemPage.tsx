import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Page } from "@/shared/Page";

/** The page behind the `type` of a problem, for those who build on the interface. */
export function ProblemPage() {
  const { t } = useTranslation();
  const { code } = useParams({ from: "/problems/$code" });
  return (
    <Page
      title={t("problemPage.title", { code })}
      lead={t("problemPage.lead", { code })}
      width="narrow"
    >
      <p>{t("problemPage.next")}</p>
    </Page>
  );
}
