import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Facts } from "@/shared/Facts";
import { formatMoment, formatMoney } from "@/shared/format";
import { Hash } from "@/shared/Hash";
import { Loaded } from "@/shared/Loaded";
import { Page } from "@/shared/Page";
import { usePlatformHead } from "@/shared/platformHead";
import { Section } from "@/shared/Section";

/** The public record of signed checkpoints: its head, what it says, how to keep and compare it. */
export function TransparencyPage() {
  const { t } = useTranslation();
  const query = usePlatformHead();
  return (
    <Page title={t("record.title")}>
      <Section title={t("record.head")} note={t("record.note")} tone="trust">
        <Loaded query={query}>
          {(head) =>
            head.number === null || head.hash === null || head.signed === null ? (
              <p>{t("record.empty")}</p>
            ) : (
              <Facts facts={factsOf(t, head.number, head.hash, head.signed.body)} />
            )
          }
        </Loaded>
      </Section>
      <Section title={t("record.keep")} note={t("record.keepNote")}>
        <ul>
          <li>
            <a href="/v1/transparency/checkpoints?format=ndjson" download>
              {t("record.download")}
            </a>
          </li>
          <li>
            {t("record.offline")} <code>python -m contracts.verify_proof FILE…</code>
          </li>
        </ul>
      </Section>
      <Section title={t("ledgerProof.notShown.title")}>
        <ul>
          <li>{t("ledgerProof.notShown.stripe")}</li>
          <li>{t("ledgerProof.notShown.others")}</li>
          <li>{t("ledgerProof.notShown.key")}</li>
        </ul>
      </Section>
    </Page>
  );
}

interface Body {
  owed: Record<string, number>;
  held: Record<string, number>;
  scope_count: number;
  wall_time: string;
  key_id: string;
}

function factsOf(t: TFunction<"site">, number: number, hash: string, body: Body) {
  const money = (amounts: Record<string, number>) =>
    Object.entries(amounts)
      .map(([currency, amount]) => formatMoney({ amount, currency: currency.toUpperCase() }))
      .join(", ");
  return [
    { label: t("record.number"), value: number },
    { label: t("record.hash"), value: <Hash value={hash} /> },
    { label: t("record.signed"), value: formatMoment(body.wall_time) },
    { label: t("record.ledgers"), value: body.scope_count },
    { label: t("record.owed"), value: money(body.owed) },
    { label: t("record.held"), value: money(body.held) },
    { label: t("record.key"), value: <Hash value={body.key_id} /> },
  ];
}
