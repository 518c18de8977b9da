import { Button } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { AccountKindView } from "@/api/types";
import { Form } from "@/shared/Form";
import { Loaded } from "@/shared/Loaded";
import { Notice } from "@/shared/Notice";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { Section } from "@/shared/Section";
import { KindFields, kindBody } from "./KindFields";
import { useAccountKind, useChooseKind } from "./queries";

/** What kind of account one has. */
export function KindSection() {
  const { t } = useTranslation();
  const query = useAccountKind();
  return (
    <Section title={t("kind.title")}>
      <Loaded query={query}>{(kind) => <KindForm key={kind.kind} present={kind} />}</Loaded>
    </Section>
  );
}

function KindForm({ present }: { present: AccountKindView }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState({ kind: present.kind, name: present.display_name ?? "" });
  const [missing, setMissing] = useState(false);
  const choose = useChooseKind();

  function send(event: FormEvent) {
    event.preventDefault();
    const body = kindBody(chosen);
    setMissing(body === null);
    if (body !== null) choose.mutate(body);
  }

  return (
    <Form onSubmit={send}>
      {choose.isError ? <ProblemNotice error={choose.error} /> : null}
      {choose.isSuccess ? (
        <Notice role="status">
          <p>{t("kind.kept")}</p>
        </Notice>
      ) : null}
      <KindFields
        chosen={chosen}
        fixed={!present.may_change}
        missing={missing}
        onChange={setChosen}
      />
      <Button type="submit" variant="default" loading={choose.isPending}>
        {t("kind.keep")}
      </Button>
    </Form>
  );
}
