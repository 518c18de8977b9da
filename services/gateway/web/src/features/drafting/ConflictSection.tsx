import { Button, Title } from "@mantine/core";
import { useEffect, useRef } from "react";
import { get, useFormContext, useWatch } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { ConfirmAct } from "@/shared/ConfirmAct";
import { Notice } from "@/shared/Notice";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import { useSuppliers } from "@/shared/suppliers";
import { type Compared, type Difference, differences, written } from "./conflict";
import classes from "./Drafting.module.css";
import { type DraftValues, valuesOf } from "./draft";
import type { Base } from "./kept";
import { labelOf } from "./labels";
import type { Conflict } from "./useDraftForm";

interface ConflictSectionProps {
  conflict: Conflict;
  stored: Base;
  onTakeStored: () => void;
}

/** Another version was stored meanwhile: what differs, field by field, and what can be done about it. */
export function ConflictSection({ conflict, stored, onTakeStored }: ConflictSectionProps) {
  const { t } = useTranslation();
  const { control } = useFormContext<DraftValues>();
  const mine = useWatch({ control }) as DraftValues;
  const found = differences(mine, conflict.start.content, stored.content);
  const head = useRef<HTMLDivElement>(null);
  // Whoever pressed the button below is led to what has to be decided first.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each version that was met
  useEffect(() => head.current?.focus(), [stored.etag]);
  return (
    <Section title={t("draft.conflict")} tone="caution">
      <Stack gap="large">
        <div ref={head} tabIndex={-1}>
          <Notice role="alert">
            <p>{t(conflict.open ? "draft.conflictText" : "draft.conflictClosed")}</p>
          </Notice>
        </div>
        {found.length === 0 ? <p>{t("draft.conflictNone")}</p> : null}
        <ul className={classes.changes}>
          {found.map((difference) => (
            <Change
              key={difference.path}
              difference={difference}
              mine={mine}
              theirs={valuesOf(stored.content)}
              mayTake={conflict.open}
            />
          ))}
        </ul>
        {conflict.open ? (
          <ConfirmAct
            label={t("draft.takeAll")}
            question={t("draft.takeAllQuestion")}
            tone="ending"
            busy={false}
            onConfirm={onTakeStored}
          />
        ) : null}
      </Stack>
    </Section>
  );
}

interface ChangeProps {
  difference: Difference;
  mine: DraftValues;
  theirs: DraftValues;
  mayTake: boolean;
}

function Change({ difference, mine, theirs, mayTake }: ChangeProps) {
  const { t } = useTranslation();
  const { setValue } = useFormContext<DraftValues>();
  const wordsOf = useWords();
  const { path, byMe } = difference;
  const name = t(labelOf(path));
  return (
    <li className={classes.change}>
      <Title order={3} size="h4">
        {name}
      </Title>
      <dl className={classes.both}>
        <div>
          <dt>{t(byMe ? "draft.mineChanged" : "draft.mineUnchanged")}</dt>
          <dd>{wordsOf(path, mine)}</dd>
        </div>
        <div>
          <dt>{t("draft.theirs")}</dt>
          <dd>{wordsOf(path, theirs)}</dd>
        </div>
      </dl>
      {mayTake ? (
        <div>
          <Button
            variant="default"
            onClick={() =>
              setValue(path, get(theirs, path), { shouldDirty: true, shouldValidate: true })
            }
          >
            {t("draft.takeOne", { name })}
          </Button>
        </div>
      ) : null}
    </li>
  );
}

/** A field's value as people read it: suppliers by name, who may see it in words. */
function useWords() {
  const { t } = useTranslation();
  const suppliers = useSuppliers(true);
  return (path: Compared, values: DraftValues): string => {
    if (path === "visibility") return t(`draft.visibility.${values.visibility}`);
    const names = suppliers.data ?? [];
    const text =
      path === "supplier_ids"
        ? values.supplier_ids
            .map((id) => names.find((each) => each.id === id)?.display_name ?? id)
            .join("\n")
        : written(values, path);
    return text === "" ? t("common.none") : text;
  };
}
