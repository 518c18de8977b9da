import { useTranslation } from "react-i18next";
import { CalendarSection } from "@/features/kit/CalendarSection";
import { TokenSection } from "@/features/kit/TokenSection";
import { Page } from "@/shared/Page";
import { RequireRole } from "@/shared/RequireRole";
import { Stack } from "@/shared/Stack";
import { isStaff, useSession } from "@/shared/session";

/** What people's own programs use: access tokens, and a participant's calendar by a secret address. */
export function KitPage() {
  const { t } = useTranslation();
  const session = useSession();
  return (
    <RequireRole needs={session.data && isStaff(session.data) ? "staff" : "participant"}>
      {(account) => (
        <Page title={t("kit.title")} lead={t("kit.lead")} width="narrow">
          <Stack gap="large">
            <TokenSection />
            {account.role === "participant" ? <CalendarSection /> : null}
          </Stack>
        </Page>
      )}
    </RequireRole>
  );
}
