import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Stack } from "@/shared/Stack";
import { useRedeem } from "./queries";

/** Use an invitation to a campaign with the account that is signed in. */
export function RedeemButton({ token, onDone }: { token: string; onDone: (id: string) => void }) {
  const { t } = useTranslation();
  const redeem = useRedeem();
  return (
    <Stack>
      {redeem.isError ? <ProblemNotice error={redeem.error} /> : null}
      <div>
        <Button
          loading={redeem.isPending}
          onClick={() =>
            redeem.mutate(token, { onSuccess: ({ campaign_id }) => onDone(campaign_id) })
          }
        >
          {t("signUp.use")}
        </Button>
      </div>
    </Stack>
  );
}
