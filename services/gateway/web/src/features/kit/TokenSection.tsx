import { useTranslation } from "react-i18next";
import type { AccessToken } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoment } from "@/shared/format";
import { Hash } from "@/shared/Hash";
import { Line, Lines } from "@/shared/Lines";
import { Loaded } from "@/shared/Loaded";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Small } from "@/shared/Small";
import { Stack } from "@/shared/Stack";
import { useAccessTokens, useEndToken, useMakeToken } from "./queries";
import { TokenForm } from "./TokenForm";

/** Make an access token, see which ones there are, end them. */
export function TokenSection() {
  const { t } = useTranslation();
  const tokens = useAccessTokens();
  const make = useMakeToken();
  return (
    <Section title={t("kit.token.title")} note={t("kit.token.note")}>
      <Loaded query={tokens}>
        {({ data: all, scopes_offered }) => (
          <Stack gap="large">
            {make.isSuccess && all.some(({ id }) => id === make.data.id) ? (
              <Notice role="status" title={t("kit.token.once")}>
                <p>{t("kit.token.onceNote", { until: formatMoment(make.data.expires_at) })}</p>
                <Hash value={make.data.secret} />
              </Notice>
            ) : null}
            <TokenForm offered={scopes_offered} make={make} />
            {all.length === 0 ? (
              <EmptyNote title={t("kit.token.none")} />
            ) : (
              <Lines label={t("kit.token.all")}>
                {all.map((token) => (
                  <TokenLine key={token.id} token={token} />
                ))}
              </Lines>
            )}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function TokenLine({ token }: { token: AccessToken }) {
  const { t } = useTranslation();
  const end = useEndToken();
  const name = t("kit.token.named", { hint: token.hint });
  return (
    <Line>
      <div>
        <p>{name}</p>
        <Small>{token.scopes.map((scope) => t(`kit.scope.${scope}`)).join(", ")}</Small>
        <Small>
          {t("kit.token.facts", {
            made: formatMoment(token.created_at),
            until: formatMoment(token.expires_at),
          })}{" "}
          {token.last_used_at === null
            ? t("kit.token.unused")
            : t("kit.token.used", { moment: formatMoment(token.last_used_at) })}
        </Small>
        {end.isError ? <ProblemNotice error={end.error} /> : null}
      </div>
      <ConfirmAct
        label={t("kit.token.endNamed", { name })}
        question={t("kit.token.endQuestion")}
        confirmLabel={t("kit.token.end")}
        tone="ending"
        busy={end.isPending}
        onConfirm={() => end.mutate(token.id)}
      />
    </Line>
  );
}
