import { useTranslation } from "react-i18next";
import { CalendarSection } from "@/features/kit/CalendarSection";
import { TokenSection } from "@/features/kit/TokenSection";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Stack } from "@/shared/Stack";

/** What a participant's own programs read: access tokens, and a calendar by a secret address. */
export function KitPage() {
  const { t } = useTranslation();
  return (
    <RequireRole needs="participant">
      {() => (
        <Page title={t("kit.title")} lead={t("kit.lead")} width="narrow">
          <Stack gap="large">
            <TokenSection />
            <CalendarSection />
          </Stack>
        </Page>
      )}
    </RequireRole>
  );
}
