import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ErasureSection } from "@/features/privacy/ErasureSection";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

const FILE = "/v1/me/data";

/** Everything that is kept of the signed-in person: to keep a copy of, and to have erased. */
export function MyDataPage() {
  const { t } = useTranslation();
  return (
    <RequireRole needs="any">
      {(account) => (
        <Page title={t("myData.title")} lead={t("myData.lead")} width="narrow">
          <Section title={t("myData.copy.title")} note={t("myData.copy.note")}>
            <Stack direction="row">
              <Button component="a" href={`${FILE}?format=html`} download="alpmera-my-data.html">
                {t("myData.copy.html")}
              </Button>
              <Button
                component="a"
                variant="default"
                href={`${FILE}?format=json`}
                download="alpmera-my-data.json"
              >
                {t("myData.copy.json")}
              </Button>
            </Stack>
          </Section>
          {account.role === "participant" ? <ErasureSection /> : null}
        </Page>
      )}
    </RequireRole>
  );
}
