import { useTranslation } from "react-i18next";
import type { Movement } from "@/api/types";
import { Downloads } from "@/shared/Downloads";
import { formatMoment, formatMoney } from "@/shared/format";
import { Hash } from "@/shared/Hash";
import { Loaded } from "@/shared/Loaded";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";
import classes from "./MoneySection.module.css";
import { useMoney } from "./money";

/** Every movement of a commitment's money in a sentence, with its ledger transfer, and files. */
export function MoneySection({ commitmentId }: { commitmentId: string }) {
  const { t } = useTranslation();
  const query = useMoney(commitmentId);
  const base = `/v1/me/commitments/${commitmentId}`;
  return (
    <Section title={t("money.title")} note={t("money.note")}>
      <Stack>
        <Loaded query={query}>
          {(story) =>
            story.movements.length === 0 ? (
              <p>{t("money.empty")}</p>
            ) : (
              <>
                <ol className={classes.movements}>
                  {story.movements.map((movement) => (
                    <li key={movement.transfer.id} className={classes.movement}>
                      <MovementLine movement={movement} />
                    </li>
                  ))}
                </ol>
                <p className={classes.small}>
                  {t("money.pseudonym", { pseudonym: story.pseudonym })}
                </p>
              </>
            )
          }
        </Loaded>
        <Downloads
          files={[
            { label: t("money.record"), href: `${base}/record?format=pdf` },
            { label: t("money.recordPage"), href: `${base}/record?format=html` },
            { label: t("money.refundRecord"), href: `${base}/refund-record?format=pdf` },
            { label: t("money.csv"), href: `${base}/money/export?format=csv` },
            { label: t("money.json"), href: `${base}/money/export?format=json` },
          ]}
        />
      </Stack>
    </Section>
  );
}

function MovementLine({ movement }: { movement: Movement }) {
  const { t } = useTranslation();
  const { transfer, next, proof } = movement;
  return (
    <>
      <p className={classes.when}>{formatMoment(movement.at)}</p>
      <p className={classes.sentence}>{movement.sentence}</p>
      <p className={classes.small}>{movement.approval}</p>
      {next === null ? null : (
        <p className={classes.next}>{t("money.next", { words: next.words })}</p>
      )}
      <details className={classes.details}>
        <summary>
          {t("money.transfer", { seq: transfer.seq, amount: formatMoney(transfer.amount) })}
        </summary>
        <dl className={classes.facts}>
          <dt>{t("money.kind")}</dt>
          <dd>
            <code>{transfer.kind}</code>
          </dd>
          <dt>{t("money.hash")}</dt>
          <dd>
            <Hash value={transfer.hash} />
          </dd>
          {movement.approved_by.length === 0 ? null : (
            <>
              <dt>{t("money.roles")}</dt>
              <dd>{movement.approved_by.join(", ")}</dd>
            </>
          )}
          <dt>{t("money.proof")}</dt>
          <dd>
            {proof === null ? (
              t("money.noProof")
            ) : (
              <a href={proof.href} download>
                {t("money.checkpoint", { number: proof.checkpoint })}
              </a>
            )}
          </dd>
          {movement.trace_id === null ? null : (
            <>
              <dt>{t("money.trace")}</dt>
              <dd>
                <code className={classes.code}>{movement.trace_id}</code>
              </dd>
            </>
          )}
        </dl>
      </details>
    </>
  );
}
