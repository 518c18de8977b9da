import { Radio, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { AccountKind } from "@/api/types";
import classes from "./Account.module.css";

const KINDS: readonly AccountKind[] = ["person", "group", "organisation"];

export interface ChosenKind {
  kind: AccountKind;
  name: string;
}

interface KindFieldsProps {
  chosen: ChosenKind;
  /** Whether the kind stays as it is; the name never does. */
  fixed?: boolean;
  missing: boolean;
  onChange: (chosen: ChosenKind) => void;
}

/** Who stands behind an account, and the name of a group or an organisation. */
export function KindFields({ chosen, fixed = false, missing, onChange }: KindFieldsProps) {
  const { t } = useTranslation();
  return (
    <>
      <Radio.Group
        label={t("kind.label")}
        description={fixed ? t("kind.fixed") : undefined}
        value={chosen.kind}
        onChange={(kind) => onChange({ ...chosen, kind: kind as AccountKind })}
      >
        <div className={classes.kinds}>
          {KINDS.map((kind) => (
            <Radio
              key={kind}
              value={kind}
              disabled={fixed && kind !== chosen.kind}
              label={t(`kind.${kind}`)}
              description={t(`kind.note.${kind}`)}
            />
          ))}
        </div>
      </Radio.Group>
      {chosen.kind === "person" ? null : (
        <TextInput
          label={t("kind.name")}
          description={t("kind.nameNote")}
          autoComplete="organization"
          maxLength={100}
          error={missing ? t("kind.nameNeeded") : undefined}
          value={chosen.name}
          onChange={(event) => onChange({ ...chosen, name: event.currentTarget.value })}
        />
      )}
    </>
  );
}

/** What is sent of it; null while a name is missing. */
export function kindBody({ kind, name }: ChosenKind) {
  if (kind === "person") return { kind, display_name: null };
  return name.trim() === "" ? null : { kind, display_name: name.trim() };
}
