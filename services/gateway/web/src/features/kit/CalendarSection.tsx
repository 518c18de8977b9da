import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { formatMoment } from "@/shared/format";
import { Hash } from "@/shared/Hash";
import { Loaded } from "@/shared/Loaded";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useCalendar, useEndCalendar, useRenewCalendar } from "./queries";

/** The calendar of one's dates: its address is shown once, renewed when it is lost, and ended. */
export function CalendarSection() {
  const { t } = useTranslation();
  const calendar = useCalendar();
  const renew = useRenewCalendar();
  const end = useEndCalendar();
  return (
    <Section title={t("kit.calendar.title")} note={t("kit.calendar.note")}>
      <Loaded query={calendar}>
        {({ made_at }) => (
          <Stack gap="large">
            {renew.isError ? <ProblemNotice error={renew.error} /> : null}
            {end.isError ? <ProblemNotice error={end.error} /> : null}
            {made_at !== null && renew.data?.url ? (
              <Notice role="status" title={t("kit.calendar.once")}>
                <p>{t("kit.calendar.onceNote")}</p>
                <Hash value={renew.data.url} />
              </Notice>
            ) : null}
            {made_at === null ? (
              <div>
                <Button
                  variant="default"
                  loading={renew.isPending}
                  onClick={() => renew.mutate(undefined)}
                >
                  {t("kit.calendar.make")}
                </Button>
              </div>
            ) : (
              <>
                <p>{t("kit.calendar.since", { moment: formatMoment(made_at) })}</p>
                {/* A new address closes the question that led to it. */}
                <Stack key={made_at} direction="row">
                  <ConfirmAct
                    label={t("kit.calendar.renew")}
                    question={t("kit.calendar.renewQuestion")}
                    tone="ending"
                    busy={renew.isPending}
                    onConfirm={() => renew.mutate(undefined)}
                  />
                  <ConfirmAct
                    label={t("kit.calendar.end")}
                    question={t("kit.calendar.endQuestion")}
                    tone="ending"
                    busy={end.isPending}
                    onConfirm={() => end.mutate(undefined)}
                  />
                </Stack>
              </>
            )}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}
