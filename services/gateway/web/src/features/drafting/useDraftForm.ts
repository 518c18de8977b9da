import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { type FieldErrors, type Resolver, set, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { forgetWords } from "@/api/keys";
import { hasCode } from "@/api/problem";
import type { Account } from "@/api/types";
import { showFieldErrors } from "@/shared/forms";
import { differences, sameContent } from "./conflict";
import { contentOf, type DraftPath, type DraftValues, EMPTY, Reading, valuesOf } from "./draft";
import { type Base, keepDraft, keptDraft, nameOfKept } from "./kept";
import { readVersion, useDraftCampaign, useReviseDraft } from "./queries";

export interface Stored {
  campaignId: string;
  base: Base;
}

/** How a version that is not the one read came to be seen. */
export interface Conflict {
  /** What this form started from. */
  start: Base;
  /** Whether what is stored can still be changed. */
  open: boolean;
}

/**
 * A draft as it is typed, and what becomes of it.
 *
 * What is typed is kept in the tab until it is stored or given up. A save is based on a version;
 * when another one is stored by then, nothing is sent over it: the form shows both, and the next
 * save is based on the one it shows.
 */
export function useDraftForm(account: Account, stored: Stored | null) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const name = nameOfKept(account.subject_id, stored?.campaignId ?? "new");
  const [kept] = useState(() => keptDraft(name));
  const [restored, setRestored] = useState(kept !== null);
  const [base, setBase] = useState<Base | null>(kept?.base ?? stored?.base ?? null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [lost, setLost] = useState<unknown>(null);
  const closeAt = base?.content.terms.close_at ?? null;

  const resolver: Resolver<DraftValues> = (values) => {
    const errors: FieldErrors<DraftValues> = {};
    for (const [path, fault] of new Reading(values, closeAt).faults) {
      set(errors, path, { type: fault, message: t(`draft.fault.${fault}`) });
    }
    return Object.keys(errors).length === 0 ? { values, errors: {} } : { values: {}, errors };
  };
  const form = useForm<DraftValues>({
    defaultValues: kept?.values ?? (base === null ? EMPTY : valuesOf(base.content)),
    resolver,
  });
  const create = useDraftCampaign();
  const revise = useReviseDraft(stored?.campaignId ?? "");
  const act = stored === null ? create : revise;

  useEffect(
    () =>
      form.subscribe({
        formState: { values: true, isDirty: true },
        callback: ({ values, isDirty }) => {
          if (isDirty) keepDraft(name, { values, base });
        },
      }),
    [form, name, base],
  );

  function leave(campaignId: string): void {
    forgetWords(name);
    void navigate({ to: "/staff/campaigns/$campaignId", params: { campaignId } });
  }

  /** What is typed is dropped. */
  function startFrom(from: Base | null): void {
    forgetWords(name);
    setRestored(false);
    setConflict(null);
    setBase(from);
    act.reset();
    form.reset(from === null ? EMPTY : valuesOf(from.content));
  }

  /** Another version is stored by now: read it, and show what differs. Returned when nothing of the draft does. */
  async function meet(campaignId: string, start: Base, values: DraftValues): Promise<Base | null> {
    const { campaign, etag } = await readVersion(campaignId);
    const theirs = { content: contentOf(campaign), etag };
    const open = campaign.state === "DRAFT";
    if (open && sameContent(theirs.content, start.content)) return theirs;
    if (open && differences(values, start.content, theirs.content).length === 0) {
      leave(campaignId);
      return null;
    }
    setBase(theirs);
    setConflict({ start, open });
    return null;
  }

  function send(values: DraftValues, from: Base | null, again: boolean): void {
    const { body } = new Reading(values, closeAt);
    setLost(null);
    const answered = {
      onSuccess: (outcome: { kind: string; data?: { id: string } }) => {
        if (outcome.data !== undefined) leave(outcome.data.id);
      },
      onError: (error: unknown) => {
        showFieldErrors(error, pathsOf(values), form.setError);
        if (stored === null || from === null || !hasCode(error, "version_stale")) return;
        meet(stored.campaignId, from, values)
          // Only something around the draft has changed: the same change, of the version there now.
          .then((unchanged) => {
            if (unchanged === null) return;
            setBase(unchanged);
            if (again) send(values, unchanged, false);
          })
          .catch(setLost);
      },
    };
    if (stored === null || from === null) create.mutate(body, answered);
    else revise.mutate({ body, etag: from.etag }, answered);
  }

  return {
    form,
    base,
    conflict,
    restored,
    busy: act.isPending,
    running: act.data?.kind === "running",
    // A conflict is told by what differs; any other refusal by its own words.
    error: lost ?? (conflict !== null && hasCode(act.error, "version_stale") ? null : act.error),
    save: form.handleSubmit((values) => send(values, base, true)),
    startFrom,
  };
}

/** Every field that is shown, for what the server says about it. */
function pathsOf(values: DraftValues): DraftPath[] {
  const { reference_prices, ...product } = values.product;
  return [
    ...named("product", product),
    ...reference_prices.flatMap((price, index) =>
      named(`product.reference_prices.${index}`, price),
    ),
    ...named("terms", values.terms),
    ...named("readiness", values.readiness),
    "supplier_ids",
    "visibility",
  ];
}

function named(part: string, fields: object): DraftPath[] {
  return Object.keys(fields).map((field) => `${part}.${field}` as DraftPath);
}
