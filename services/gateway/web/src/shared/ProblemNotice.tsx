import { useTranslation } from "react-i18next";
import { CardRefused, PasskeyNotUsed, RefusedByServer } from "@/api/problem";
import { DeclineWords } from "@/shared/DeclineWords";
import { TextLink } from "@/shared/links";
import { Notice } from "@/shared/Notice";
import classes from "./ProblemNotice.module.css";

const SHOWN_FACTS = ["units_left", "missing", "unmet", "retry_after_seconds"] as const;
/** What is refused until one's account can prove more. */
const SETTLED_IN_SECURITY: ReadonlySet<string> = new Set([
  "second_factor_required",
  "passkey_required",
  "step_up_required",
  "last_second_factor",
]);

/** Any refusal in human words: what it is, what to do next, and a reference for support. */
export function ProblemNotice({ error }: { error: unknown }) {
  if (error instanceof RefusedByServer) return <ServerWords error={error} />;
  if (error instanceof CardRefused) return <CardWords error={error} />;
  if (error instanceof PasskeyNotUsed) return <PasskeyWords />;
  return <PlainWords lost={error instanceof Error && error.name === "ConnectionLost"} />;
}

function ServerWords({ error }: { error: RefusedByServer }) {
  const { t } = useTranslation();
  const { problem } = error;
  if (problem.code === "payment_declined") return <DeclineWords facts={problem.facts} />;
  return (
    <Notice
      tone="trouble"
      role="alert"
      title={problem.title || t("problem.unreadable_answer.title")}
    >
      <p>{problem.detail || t("problem.unreadable_answer.next")}</p>
      <FactLines facts={problem.facts} />
      <FieldLines error={error} />
      {SETTLED_IN_SECURITY.has(problem.code) ? (
        <p>
          <TextLink to="/security">{t("security.title")}</TextLink>
        </p>
      ) : null}
      {problem.code === "sign_in_again" ? (
        <p>
          <TextLink to="/sign-in" search={{ next: window.location.pathname }}>
            {t("signIn.title")}
          </TextLink>
        </p>
      ) : null}
      <p className={classes.reference}>
        {problem.trace_id
          ? t("problem.reference", { code: problem.code, trace: problem.trace_id })
          : t("problem.referenceShort", { code: problem.code })}
      </p>
    </Notice>
  );
}

function FactLines({ facts }: { facts: Record<string, unknown> }) {
  const { t } = useTranslation();
  const shown = SHOWN_FACTS.filter((name) => facts[name] !== undefined && facts[name] !== null);
  return shown.map((name) => {
    const value = facts[name];
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    return <p key={name}>{t(`problem.facts.${name}`, { value: text })}</p>;
  });
}

function FieldLines({ error }: { error: RefusedByServer }) {
  const { t, i18n } = useTranslation();
  if (error.problem.errors.length === 0) return null;
  return (
    <div>
      <p className={classes.fieldsTitle}>{t("problem.fields")}</p>
      <ul className={classes.fields}>
        {error.problem.errors.map(({ pointer, message }) => {
          const key = [fieldOf(pointer), firstOf(pointer)]
            .map((name) => `problem.field.${name}`)
            .find((each) => i18n.exists(each));
          const label = key ? t(key as "problem.field.quantity") : firstOf(pointer);
          return <li key={pointer + message}>{label ? `${label}: ${message}` : message}</li>;
        })}
      </ul>
    </div>
  );
}

/** A place in a body by its names alone: /product/reference_prices/0/source → product_reference_prices_source */
function fieldOf(pointer: string): string {
  return pointer
    .split("/")
    .filter((part) => part !== "" && !/^\d+$/.test(part))
    .join("_");
}

function firstOf(pointer: string): string {
  return pointer.split("/")[1] ?? "";
}

function CardWords({ error }: { error: CardRefused }) {
  const { t, i18n } = useTranslation();
  const key = `card.refused.${error.reason}`;
  return (
    <Notice tone="trouble" role="alert" title={t("card.refused.title")}>
      {i18n.exists(key) ? <p>{t(key as "card.refused.incorrect_number")}</p> : null}
      <p>{t("card.refused.next")}</p>
    </Notice>
  );
}

function PasskeyWords() {
  const { t } = useTranslation();
  return (
    <Notice tone="trouble" role="alert" title={t("proof.notUsed.title")}>
      <p>{t("proof.notUsed.next")}</p>
    </Notice>
  );
}

function PlainWords({ lost }: { lost: boolean }) {
  const { t } = useTranslation();
  return lost ? (
    <Notice tone="trouble" role="alert" title={t("problem.connection_lost.title")}>
      <p>{t("problem.connection_lost.next")}</p>
    </Notice>
  ) : (
    <Notice tone="trouble" role="alert" title={t("problem.unexpected.title")}>
      <p>{t("problem.unexpected.next")}</p>
    </Notice>
  );
}
