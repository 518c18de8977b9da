import { useTranslation } from "react-i18next";
import { AlertSection } from "@/features/kit/AlertSection";
import { CalendarSection } from "@/features/kit/CalendarSection";
import { TokenSection } from "@/features/kit/TokenSection";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Stack } from "@/shared/Stack";

/** What a participant is told of and takes along: alert rules, access tokens, and a calendar by a secret address. */
export function KitPage() {
  const { t } = useTranslation();
  return (
    <RequireRole needs="participant">
      {() => (
        <Page title={t("kit.title")} lead={t("kit.lead")} width="narrow">
          <Stack gap="large">
            <AlertSection />
            <TokenSection />
            <CalendarSection />
          </Stack>
        </Page>
      )}
    </RequireRole>
  );
}
