import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Session } from "@/api/types";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { formatMoment } from "@/shared/format";
import { Line, Lines } from "@/shared/Lines";
import { Loaded } from "@/shared/Loaded";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Small } from "@/shared/Small";
import { Stack } from "@/shared/Stack";
import { StateWord } from "@/shared/StateWord";
import { useEndOthers, useEndSession, useSessions } from "./queries";

/** Where somebody is signed in; each session can be ended at once. */
export function SessionSection() {
  const { t } = useTranslation();
  const sessions = useSessions();
  const others = useEndOthers();
  return (
    <Section title={t("security.sessions")} note={t("security.sessionsNote")}>
      <Loaded query={sessions}>
        {(all) => (
          <Stack gap="large">
            {others.isError ? <ProblemNotice error={others.error} /> : null}
            <Lines>
              {all.map((session) => (
                <SessionLine key={session.id} session={session} />
              ))}
            </Lines>
            {all.length > 1 ? (
              <ConfirmAct
                label={t("security.endOthers")}
                question={t("security.endOthersQuestion", { count: all.length - 1 })}
                tone="ending"
                busy={others.isPending}
                onConfirm={() => others.mutate(undefined)}
              />
            ) : null}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function SessionLine({ session }: { session: Session }) {
  const { t } = useTranslation();
  const end = useEndSession();
  const client = session.client ?? t("security.clientUnknown");
  return (
    <Line>
      <div>
        <p>{client}</p>
        <Small>
          {t("security.sessionFacts", {
            proof: t(`security.proof.${session.proof}`),
            since: formatMoment(session.created_at),
            seen: formatMoment(session.last_seen_at),
          })}
        </Small>
        {end.isError ? <ProblemNotice error={end.error} /> : null}
      </div>
      {session.current ? (
        <StateWord words={t("security.thisSession")} tone="good" />
      ) : (
        <Button
          variant="outline"
          color="burgundy"
          aria-label={t("security.endNamed", {
            client,
            moment: formatMoment(session.created_at),
          })}
          loading={end.isPending}
          onClick={() => end.mutate(session.id)}
        >
          {t("security.end")}
        </Button>
      )}
    </Line>
  );
}
