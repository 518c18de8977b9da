import { Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Commitment } from "@/api/types";
import { EmptyNote } from "@/shared/EmptyNote";
import { formatMoney } from "@/shared/format";
import { Loading } from "@/shared/Loading";
import { ButtonLink } from "@/shared/links";
import { MoreButton } from "@/shared/MoreButton";
import { Page } from "@/shared/Page";
import { ProblemNotice } from "@/shared/ProblemNotice";
import { RequireRole } from "@/shared/RequireRole";
import { Stack } from "@/shared/Stack";
import { StateWord, toneOf } from "@/shared/StateWord";
import classes from "./Commitments.module.css";
import { useCommitments } from "./queries";
import { StatementLinks } from "./StatementLinks";

/** Each commitment with one line that says where its money is now. */
export function CommitmentListPage() {
  const { t } = useTranslation();
  return (
    <RequireRole needs="participant">
      {() => (
        <Page title={t("commitments.title")}>
          <Mine />
          <StatementLinks />
        </Page>
      )}
    </RequireRole>
  );
}

function Mine() {
  const { t } = useTranslation();
  const query = useCommitments();
  if (query.isError) return <ProblemNotice error={query.error} />;
  if (query.data === undefined) return <Loading blocks={3} />;
  const commitments = query.data.pages.flatMap((part) => part.data);
  if (commitments.length === 0) {
    return (
      <EmptyNote title={t("commitments.empty")} text={t("commitments.emptyText")}>
        <ButtonLink to="/">{t("commitments.toCampaigns")}</ButtonLink>
      </EmptyNote>
    );
  }
  return (
    <Stack gap="large">
      <ul className={classes.list}>
        {commitments.map((commitment) => (
          <CommitmentLine key={commitment.id} commitment={commitment} />
        ))}
      </ul>
      <MoreButton query={query} />
    </Stack>
  );
}

function CommitmentLine({ commitment }: { commitment: Commitment }) {
  const { t } = useTranslation();
  return (
    <li className={classes.line}>
      <div className={classes.lineHead}>
        <Title order={2} className={classes.lineTitle}>
          <Link
            to="/commitments/$commitmentId"
            params={{ commitmentId: commitment.id }}
            className={classes.link}
          >
            {commitment.campaign_title}
          </Link>
        </Title>
        <StateWord words={commitment.state_words} tone={toneOf(commitment.state)} />
      </div>
      <p className={classes.money}>{commitment.money_now}</p>
      <p className={classes.small}>
        {t("common.units", { count: commitment.quantity })} · {formatMoney(commitment.amount)}
        {commitment.reference === null
          ? null
          : ` · ${t("commitment.reference", { reference: commitment.reference })}`}
      </p>
    </li>
  );
}
