import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { passkeysWork } from "@/shared/proof/webauthn";
import { Stack } from "@/shared/Stack";
import { usePasskeySignIn } from "./queries";

/** Sign in with whatever passkey the device holds for this site. */
export function PasskeySignIn({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const signIn = usePasskeySignIn();
  if (!passkeysWork()) return <p>{t("proof.noPasskeys")}</p>;
  return (
    <Stack>
      {signIn.isError ? <ProblemNotice error={signIn.error} /> : null}
      <div>
        <Button
          loading={signIn.isPending}
          onClick={() => signIn.mutate(undefined, { onSuccess: onDone })}
        >
          {t("signIn.withPasskey")}
        </Button>
      </div>
    </Stack>
  );
}
