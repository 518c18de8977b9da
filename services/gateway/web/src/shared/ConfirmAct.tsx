import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Notice } from "@/shared/Notice";
import { Stack } from "@/shared/Stack";

interface ConfirmActProps {
  /** The words on the first button. */
  label: string;
  /** What happens if it is confirmed, to how much and to whom. */
  question: ReactNode;
  /** The words on the button that does it; the first button's unless given. */
  confirmLabel?: string;
  tone?: "primary" | "ending";
  busy: boolean;
  disabled?: boolean;
  /** Checked before the question is asked; false keeps the question away. */
  mayAsk?: () => boolean | Promise<boolean>;
  onConfirm: () => void;
}

/** An act that cannot be taken back: asked for, explained, then done. */
export function ConfirmAct(props: ConfirmActProps) {
  const { label, question, confirmLabel, tone = "primary", busy, disabled = false } = props;
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const color = tone === "ending" ? "burgundy" : "forest";

  if (!asked) {
    const ask = async () => {
      if (props.mayAsk === undefined || (await props.mayAsk())) setAsked(true);
    };
    return (
      <div>
        <Button
          color={color}
          variant={tone === "ending" ? "outline" : "filled"}
          disabled={disabled}
          onClick={() => void ask()}
        >
          {label}
        </Button>
      </div>
    );
  }
  return (
    <Notice role="status">
      <p>{question}</p>
      <Stack direction="row">
        <Button color={color} loading={busy} onClick={props.onConfirm} autoFocus>
          {confirmLabel ?? label}
        </Button>
        <Button variant="default" disabled={busy} onClick={() => setAsked(false)}>
          {t("common.cancel")}
        </Button>
      </Stack>
    </Notice>
  );
}
