import { Button, Title } from "@mantine/core";
import { useLocation } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Loaded } from "@/shared/Loaded";
import { Stack } from "@/shared/Stack";
import { ConfirmProof } from "./ConfirmProof";
import classes from "./Proof.module.css";
import { useSecurity } from "./queries";
import { answerStepUps } from "./stepUp";

type Answer = (confirmed: boolean) => void;

/** The question that an act on money or on the account asks before it is done. Stands in the site's frame. */
export function StepUpDialog() {
  const [answer, setAnswer] = useState<Answer | null>(null);

  useEffect(
    () =>
      answerStepUps(
        () =>
          new Promise((resolve) => {
            setAnswer((open: Answer | null) => {
              // One question at a time: whoever asks again takes the place of the one before.
              open?.(false);
              return resolve;
            });
          }),
      ),
    [],
  );

  // Whoever goes to another page has answered.
  const path = useLocation({ select: (location) => location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: closed when the page changes, not when a question comes
  useEffect(() => {
    answer?.(false);
    setAnswer(null);
  }, [path]);

  if (answer === null) return null;
  const close = (confirmed: boolean) => {
    setAnswer(null);
    answer(confirmed);
  };
  return <Question onAnswer={close} />;
}

function Question({ onAnswer }: { onAnswer: Answer }) {
  const { t } = useTranslation();
  const title = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const security = useSecurity();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className={classes.dialog}
      aria-labelledby={title}
      onClose={() => onAnswer(false)}
    >
      <Title order={2} id={title}>
        {t("proof.title")}
      </Title>
      <Stack gap="large">
        <p>{t("proof.why")}</p>
        <Loaded query={security}>
          {(ways) => <ConfirmProof security={ways} onDone={() => onAnswer(true)} />}
        </Loaded>
        <div>
          <Button variant="default" onClick={() => onAnswer(false)}>
            {t("proof.cancel")}
          </Button>
        </div>
      </Stack>
    </dialog>
  );
}
