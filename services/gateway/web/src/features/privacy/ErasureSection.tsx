import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Erasure } from "@/api/types";
import { useErasure, useRequestErasure, useWithdrawErasure } from "@/features/privacy/queries";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { formatMoment } from "@/shared/format";
import { Loaded } from "@/shared/Loaded";
import { TextLink } from "@/shared/links";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

/** Ask for the erasure of one's data, see what it waits for, take the request back. */
export function ErasureSection() {
  const { t } = useTranslation();
  const query = useErasure();
  return (
    <Section title={t("myData.erasure.title")} note={t("myData.erasure.note")} tone="caution">
      <Loaded query={query}>
        {(erasure) => (
          <Stack>
            <Waits erasure={erasure} />
            {erasure.state === "waiting" ? <Waiting erasure={erasure} /> : <Ask />}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function Waits({ erasure }: { erasure: Erasure }) {
  const { t } = useTranslation();
  if (erasure.waits_for.length === 0) return <p>{t("myData.erasure.nothingOpen")}</p>;
  return (
    <div>
      <p>
        {t(erasure.state === "waiting" ? "myData.erasure.waitsFor" : "myData.erasure.wouldWait")}
      </p>
      <ul>
        {erasure.waits_for.map((wait) => (
          <li key={wait.commitment_id}>
            <TextLink to="/commitments/$commitmentId" params={{ commitmentId: wait.commitment_id }}>
              {wait.campaign_title}
            </TextLink>
            {": "}
            {wait.words}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Ask() {
  const { t } = useTranslation();
  const request = useRequestErasure();
  return (
    <Stack>
      {request.isError ? <ProblemNotice error={request.error} /> : null}
      <ConfirmAct
        label={t("myData.erasure.ask")}
        question={t("myData.erasure.question")}
        confirmLabel={t("myData.erasure.confirm")}
        tone="ending"
        busy={request.isPending}
        onConfirm={() => request.mutate()}
      />
    </Stack>
  );
}

function Waiting({ erasure }: { erasure: Erasure }) {
  const { t } = useTranslation();
  const withdraw = useWithdrawErasure();
  return (
    <Stack>
      {withdraw.isError ? <ProblemNotice error={withdraw.error} /> : null}
      <Notice role="status" title={t("myData.erasure.recorded")}>
        <p>
          {t("myData.erasure.recordedNote", {
            asked: formatMoment(erasure.requested_at ?? ""),
            earliest: formatMoment(erasure.not_before ?? ""),
          })}
        </p>
      </Notice>
      <div>
        <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
          {t("myData.erasure.withdraw")}
        </Button>
      </div>
    </Stack>
  );
}
