import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Security } from "@/api/types";
import { Loaded } from "@/shared/Loaded";
import { ButtonLink } from "@/shared/links";
import { Page } from "@/shared/Page";
import { ConfirmProof } from "@/shared/proof/ConfirmProof";
import { useSecurity } from "@/shared/proof/queries";
import { RequireRole } from "@/shared/RequireRole";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { AuthenticatorSection } from "./AuthenticatorSection";
import { ownAddress } from "./next";
import { PasskeySection } from "./PasskeySection";
import { RecoverySection } from "./RecoverySection";
import { SessionSection } from "./SessionSection";

/** How somebody proves who they are, and where they are signed in. */
export function SecurityPage() {
  const { t } = useTranslation();
  const { next } = useSearch({ from: "/security" });
  const navigate = useNavigate();
  // After the proof that a page asked for, back to that page.
  const goOn = () => {
    if (next !== undefined) void navigate({ href: ownAddress(next) });
  };
  return (
    <RequireRole needs="any">
      {() => (
        <Page title={t("security.title")} lead={t("security.lead")} width="narrow">
          <Ways onProven={goOn} />
        </Page>
      )}
    </RequireRole>
  );
}

function Ways({ onProven }: { onProven: () => void }) {
  const security = useSecurity();
  return (
    <Loaded query={security} blocks={3}>
      {(ways) => (
        <Stack gap="large">
          {needsNewSignIn(ways) ? <SignInAgain /> : null}
          {ways.must_prove_more ? <ProveMore security={ways} onProven={onProven} /> : null}
          <PasskeySection security={ways} onAdded={onProven} />
          <AuthenticatorSection security={ways} onAdded={onProven} />
          <RecoverySection security={ways} />
          <SessionSection />
        </Stack>
      )}
    </Loaded>
  );
}

/** The first passkey or authenticator is added a short time after the sign-in, never later. */
function needsNewSignIn(ways: Security): boolean {
  return !ways.may_change && ways.passkeys.length === 0 && !ways.authenticator;
}

function SignInAgain() {
  const { t } = useTranslation();
  const { next } = useSearch({ from: "/security" });
  const back = next === undefined ? "/security" : `/security?next=${encodeURIComponent(next)}`;
  return (
    <Section title={t("security.again")} tone="caution">
      <Stack>
        <p>{t("security.againWhy")}</p>
        <div>
          <ButtonLink to="/sign-in" search={{ next: back }}>
            {t("security.againDo")}
          </ButtonLink>
        </div>
      </Stack>
    </Section>
  );
}

function ProveMore({ security, onProven }: { security: Security; onProven: () => void }) {
  const { t } = useTranslation();
  const some = security.passkeys.length > 0 || security.authenticator;
  const recovered = security.proof === "recovery_code";
  return (
    <Section title={t("security.more")} tone="caution">
      <Stack gap="large">
        <p>
          {t(
            recovered
              ? "security.moreRecovered"
              : some
                ? "security.moreProve"
                : "security.moreFirst",
          )}
        </p>
        {some && !recovered ? (
          <ConfirmProof
            security={security}
            // A recovery code opens the way to a new passkey here and nothing else.
            onDone={(by) => (by === "recovery-code" ? undefined : onProven())}
          />
        ) : null}
      </Stack>
    </Section>
  );
}
