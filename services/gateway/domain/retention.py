"""How long what is kept about people and their acts stays, why, and what ends it. The document says the same in words.

One row per kind of data, in every service; a table of the gateway that names a person and is missing here fails a test.
`sweep` is the statement by which the gateway removes what has expired; where it is None something else ends the data,
which `ends` says. It cannot see copies: backups are removed with their own age.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Retention:
    """One kind of data. `tables` are the gateway's tables it lies in; `days` bounds the sweep (wall time)."""

    what: str
    where: str
    ends: str
    why: str
    tables: frozenset[str] = field(default_factory=frozenset)
    days: int | None = None
    sweep: str | None = None


ROWS_AT_ONCE_MAX = 5_000
"""Rows that one statement removes; the rest goes in the next round."""

RETENTION: tuple[Retention, ...] = (
    Retention(
        "Address and name",
        "gateway, sealed under a key of the person's own",
        "erasure, which destroys the key",
        "to sign in and to be told what happens to one's money",
        frozenset({"account", "person_key"}),
    ),
    Retention(
        "Postal addresses, names of groups and organisations",
        "gateway, sealed under the person's key",
        "when they are removed or changed, or erasure",
        "to name where a commitment is delivered, and who stands behind an account",
        frozenset({"address"}),
    ),
    Retention(
        "Addresses of commitments, as they were when each was made",
        "gateway, sealed under the person's key",
        "erasure, which waits while the commitment is open",
        "to deliver where the participant said; the supplier sees them while it fulfils the campaign",
        frozenset({"commitment_address"}),
    ),
    Retention(
        "Papers of evidence in disputes",
        "gateway, sealed by its own key",
        "kept",
        "to show what the bank was sent, byte for byte; a paper names a commitment and nobody",
        frozenset({"evidence_paper"}),
    ),
    Retention(
        "Address for mails",
        "notifications, encrypted; on the people's topic, sealed",
        "erasure: the row goes, the topic's record is replaced by an empty one and removed by compaction within 7 days",
        "to send mails",
    ),
    Retention(
        "Sessions",
        "gateway; tokens hashed",
        "30 days after they ended, or erasure",
        "so that a person sees where the account was used",
        frozenset({"session"}),
        30,
        "DELETE FROM session WHERE token_hash IN (SELECT token_hash FROM session "
        "WHERE COALESCE(revoked_at, expires_at) < :before LIMIT :rows)",
    ),
    Retention(
        "Passkeys, authenticators, recovery codes",
        "gateway: public keys, sealed secrets, hashes",
        "when they are removed, or erasure",
        "to sign in",
        frozenset({"passkey", "authenticator", "recovery_code"}),
    ),
    Retention(
        "Codes by mail, challenges, counts of wrong tries",
        "gateway: keyed hashes, sealed addresses",
        "minutes after they expired, by who asks next",
        "to prove an address once, and to slow down who guesses",
        frozenset({"mail_code", "passkey_challenge"}),
    ),
    Retention(
        "Invitations and admissions to private campaigns",
        "gateway: hashed, notes sealed",
        "kept under random ids; the invited address and the note go with the erasure of either person",
        "to know who let whom in",
        frozenset({"member_invitation", "campaign_admission"}),
    ),
    Retention(
        "Alert rules",
        "notifications, under the person's random id; shown by the read model",
        "erasure: the rules go, and what the read model shows names nobody any more",
        "to tell a person what a rule of theirs waits for",
    ),
    Retention(
        "Access tokens",
        "gateway; hashed",
        "30 days after they expired, when they are ended, or erasure",
        "so that a person sees which scripts may read",
        frozenset({"access_token"}),
        30,
        "DELETE FROM access_token WHERE id IN (SELECT id FROM access_token WHERE expires_at < :before LIMIT :rows)",
    ),
    Retention(
        "Addresses of calendars",
        "gateway; hashed",
        "when they are ended or renewed, or erasure",
        "to show a person's dates to the person's own calendar",
        frozenset({"calendar_feed"}),
    ),
    Retention(
        "Descriptions of faults",
        "gateway",
        "erasure",
        "the person's own words; everything else about a fault is ids and states",
        frozenset({"issue_text"}),
    ),
    Retention(
        "Commitments, refunds, deliveries",
        "campaigns, escrow, suppliers and the read model, under a random id",
        "kept",
        "accounting law; they name nobody once the key is destroyed",
    ),
    Retention(
        "Accepted acts and their keys",
        "gateway, under a random id",
        "kept: the keys of acts on money never expire",
        "a repeated request must find its first outcome",
        frozenset({"operation"}),
    ),
    Retention(
        "Audit records",
        "every service, under random ids",
        "kept",
        "the chain would break, and accounting law asks for them",
        frozenset({"audit_entry"}),
    ),
    Retention(
        "Requests to be erased",
        "gateway, under a random id",
        "kept once carried out",
        "to show that it was done, and when",
        frozenset({"erasure_request"}),
    ),
    Retention(
        "Mails as sent",
        "notifications, under a random id; the text names no person",
        "kept",
        "to show what was told, and when",
    ),
    Retention(
        "Received webhooks",
        "gateway: id, type and moment of each",
        "kept",
        "a repeat must be recognised, and a dispute may need it; nothing in it names a person",
        frozenset({"psp_event"}),
    ),
    Retention(
        "Counts of limits",
        "gateway, as digests",
        "a minute after their window",
        "to slow down who asks too often",
        frozenset({"rate_window"}),
    ),
    Retention(
        "Commands with their secrets",
        "topics of commands",
        "7 days",
        "a service that was away reads them later",
    ),
    Retention("Answers for a waiting browser", "topic of replies", "1 day", "a reload finds its answer"),
    Retention(
        "Logs and traces",
        "files, trace viewer",
        "the operator's setting; random ids only",
        "to find out what went wrong",
    ),
)
