"""Everybody whom the authorization policy knows, at one gateway, and the things that are theirs or not theirs.

One private campaign: the owner has a commitment in it, the bound supplier is invited to it, there is a reported fault, a
clearing plan, an open case, and an operation of the owner's. All of it is told by the other services' messages.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi.routing import APIRoute

from contracts.alerts import AlertRuleSet, TargetPercent
from contracts.campaigns import CampaignSubmitted, CommitmentLocked, CommitmentReserved
from contracts.clearing import ClearingPlanLinesTold, ClearingPlanSubmitted
from contracts.disputes import DisputeEvidencePrepared, DisputeOpened
from contracts.housekeeping import EscrowCaseOpened
from contracts.ledger import LinePreview, ReleaseCondition
from contracts.suppliers import (
    AcceptanceWindowOpened,
    CommitmentsDelivered,
    IssueReported,
    SupplierInvited,
    SupplierRegistered,
)
from services.gateway.app import PLAIN_ROUTES, ROUTERS
from services.gateway.auth import local_sign_in
from services.gateway.domain.policy import ROLE_OF, Rule
from services.gateway.openapi import document
from services.gateway.schemas.examples import BODY_EXAMPLES
from services.gateway.store.accounts import Account, NewAccount, OpenedSession, insert_accounts, open_sessions
from services.gateway.store.second_factors import NewPasskey, insert_passkey
from services.gateway.usecases.fold_disputes import id_of
from services.gateway.usecases.gather_own_data import SECTIONS
from services.gateway.usecases.keep_evidence import own_key, seal_paper
from services.kit.clock import wall_now
from tests.integration.gateway_support import STARTED, Stage, drafted_campaign, opened_campaign

FOREIGN = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
DESCRIPTION = "A dent beside the door, as only its owner tells it."
TOLD_WITHIN_SECONDS = 20.0
PARAMETERS: dict[str, dict[str, Any]] = {
    "audit_list": {"service": "gateway"},
    "audit_export": {"service": "gateway"},
    "my_data": {"section": [name for name in SECTIONS if name != "notices"]},
}
"""Query parameters for reads that otherwise ask the other services, which are not there."""
DISPUTE = "du_1Nexample"
DOCUMENT = document()
HAPPENED = STARTED + timedelta(days=1)


class People:
    """The people, their clients, and the ids of the things they ask for."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.ids: dict[str, UUID] = {
            name: uuid4()
            for name in (
                "campaign_id",
                "commitment_id",
                "invitation_id",
                "plan_id",
                "issue_id",
                "supplier_id",
                "case_id",
                "feed",
                "passkey_id",
                "draft_id",
                "rule_id",
            )
        }
        self.ids["dispute_id"] = id_of(DISPUTE)
        self.subjects: dict[str, UUID] = {}
        self.sessions: dict[str, OpenedSession] = {}
        self.terms_hash = ""
        self.tokens: dict[str, str] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def prepare(self) -> People:
        """Make the accounts and tell what happened."""
        for person, role in ROLE_OF.items():
            if role is not None:
                supplier_id = {"bound_supplier": self.ids["supplier_id"], "other_supplier": uuid4()}.get(person)
                account = NewAccount(role=role, supplier_id=supplier_id, label=f"label of {person}")
                self.subjects[person] = account.subject_id
                async with self.stage.owner.begin() as connection:
                    await insert_accounts(connection, [account])
                self.sessions[person] = await self.open_session(person)
                await self._passkey(person)
        self.ids["session_id"] = (await self.open_session("owner")).session_id
        await self._tell_campaign()
        await self._tell_fulfillment()
        await self._tell_dispute()
        await self._tell_alert()
        await self._operation()
        for name in ("address_id", "removable_id"):
            made = await self.client("owner").post("/v1/me/addresses", json=BODY_EXAMPLES["AddressBody"])
            self.ids[name] = UUID(made.json()["id"])
        made = await self.client("owner").post("/v1/access-tokens", json={"scopes": ["campaigns"]})
        self.ids["token_id"] = UUID(made.json()["id"])
        staff = self.client("operations")
        await self.stage.seen(staff, f"/v1/campaigns/{self.ids['campaign_id']}")
        await self._invitations()
        for path in (
            f"/v1/campaigns/{self.ids['campaign_id']}",
            f"/v1/campaigns/{self.ids['draft_id']}",
            f"/v1/commitments/{self.ids['commitment_id']}",
            f"/v1/clearing-plans/{self.ids['plan_id']}",
        ):
            await self.stage.seen(staff, path)
        await self._until(staff, f"/v1/campaigns/{self.ids['campaign_id']}/issues", self.ids["issue_id"])
        await self._until(staff, "/v1/invitations", self.ids["invitation_id"])
        await self._until(staff, "/v1/cases", self.ids["case_id"])
        await self._until(staff, "/v1/disputes", self.ids["dispute_id"])
        await self._until(staff, "/v1/suppliers", self.ids["supplier_id"])
        await self._until(self.client("owner"), "/v1/me/alerts", self.ids["rule_id"])
        return self

    async def open_session(self, person: str) -> OpenedSession:
        """A further session of somebody."""
        role = ROLE_OF[person]
        assert role is not None
        account = Account(self.subjects[person], role, None, None, None)
        async with self.stage.owner.begin() as connection:
            (opened,) = await open_sessions(connection, [account], now=wall_now())
        return opened

    def client(self, person: str, session: OpenedSession | None = None) -> httpx.AsyncClient:
        """Somebody's client: scripts carry a token, the page of another site comes with the owner's cookie."""
        if session is not None:
            return self._new_client(person, session)
        if person not in self._clients:
            self._clients[person] = self._new_client(person, None)
        return self._clients[person]

    def _new_client(self, person: str, session: OpenedSession | None) -> httpx.AsyncClient:
        if person == "anonymous":
            return self.stage.client()
        if person == "foreign_page":
            opened = session or self.sessions["owner"]
            cookie = f"__Host-session={opened.token}"
            return self.stage.client(Cookie=cookie, **{"X-Alpmera-CSRF": opened.csrf_token}, **FOREIGN)
        return self.stage.client((session or self.sessions[person]).token)

    def path(self, rule: Rule) -> str:
        """The address of a rule's operation, about the things of this campaign."""
        named = {**self.ids, "code": "over_capacity"}
        if rule.operation == "revise_draft":
            named["campaign_id"] = self.ids["draft_id"]
        if rule.operation == "addresses_remove":
            named["address_id"] = self.ids["removable_id"]
        filled = re.sub(r"\{(\w+)\}", lambda found: str(named[found.group(1)]), rule.path.replace("{path:path}", ""))
        return f"{filled}?ids={self.ids['operation_id']}" if rule.operation == "operations_list" else filled

    def body(self, rule: Rule, person: str = "owner") -> dict[str, Any]:
        """A body that fits, with the ids of this campaign in it."""
        name = body_model(rule.operation)
        if name is None:
            return {}
        body = dict(BODY_EXAMPLES[name])
        own = {
            "terms_hash": self.terms_hash,
            "plan_hash": "c" * 64,
            "commitment_ids": [str(self.ids["commitment_id"])],
            "role": ROLE_OF[person] or "operations",
            "token": self.tokens.get(rule.operation, ""),
            "rule": {"kind": "target_percent", "campaign_id": str(self.ids["campaign_id"]), "percent": 80},
        }
        if name == "MemberInvitationBody":
            del own["role"]
        if name == "SignOffBody" and own["role"] not in {"operations", "escrow_auditor", "trust_reviewer"}:
            own["role"] = "operations"
        return body | {field: value for field, value in own.items() if field in body}

    async def ask(
        self, rule: Rule, person: str, *, body: Any = None, session: OpenedSession | None = None
    ) -> httpx.Response:
        """Somebody asks an operation; writes do not wait for their outcome."""
        client = self.client(person, session)
        if rule.method == "GET":
            if rule.operation == "campaigns_progress":
                return await self._first_event(client, self.path(rule))
            return await client.get(self.path(rule), params=PARAMETERS.get(rule.operation))
        return await client.request(
            rule.method,
            self.path(rule),
            json=self.body(rule, person) if body is None else body,
            headers={"Idempotency-Key": uuid4().hex, "Prefer": "wait=0", "If-Match": "*"},
        )

    async def _first_event(self, client: httpx.AsyncClient, path: str) -> httpx.Response:
        """The beginning of a stream, as an answer of its own."""
        async with client.stream("GET", path) as stream:
            if stream.status_code != 200:
                await stream.aread()
                return stream
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    headers = {name: value for name, value in stream.headers.items() if name != "transfer-encoding"}
                    return httpx.Response(200, headers=headers, content=line.removeprefix("data:"))
        raise AssertionError("the stream ended before its first event")

    async def _tell_campaign(self) -> None:
        drafted = drafted_campaign(self.ids["campaign_id"], visibility="private").model_copy(
            update={"supplier_ids": (self.ids["supplier_id"],)}
        )
        self.terms_hash = drafted.terms_hash
        await self.stage.tell(drafted)
        await self.stage.tell(CampaignSubmitted(campaign_id=drafted.campaign_id, terms_hash=drafted.terms_hash))
        await self.stage.tell(opened_campaign(drafted))
        draft = drafted_campaign(self.ids["draft_id"], visibility="private")
        await self.stage.tell(draft.model_copy(update={"author_id": str(self.subjects["operations"])}))
        commitment = {
            "campaign_id": self.ids["campaign_id"],
            "commitment_id": self.ids["commitment_id"],
            "participant_id": self.subjects["owner"],
        }
        figures = {"quantity": 2, "amount_minor": 109_800, "currency": "usd"}
        await self.stage.tell(
            CommitmentReserved(
                **commitment, **figures, terms_hash=self.terms_hash, reference="R-1", reserved_until=HAPPENED,
                reserved_units=2, held_units=0,
            )
        )  # fmt: skip
        await self.stage.tell(
            CommitmentLocked(**commitment, **figures, held_units=2, reserved_units=0, held_commitments=1)
        )
        await self.stage.tell(
            EscrowCaseOpened(
                scope_id=str(self.ids["campaign_id"]), case_id=self.ids["case_id"], case_kind="top_up_failed",
                subject_id="x", severity="warning", blocking=False, facts={},
            )
        )  # fmt: skip

    async def _tell_dispute(self) -> None:
        await self.stage.tell(
            DisputeOpened(
                campaign_id=self.ids["campaign_id"], commitment_id=self.ids["commitment_id"],
                participant_id=self.subjects["owner"], dispute_id=DISPUTE, round=1, amount_minor=109_800,
                frozen_minor=109_800, currency="usd", status="needs_response", reason="fraudulent",
                evidence_due_by=HAPPENED,
            )
        )  # fmt: skip
        content = b"%PDF-1.4 prepared"
        digest, evidence_hash = sha256(content).hexdigest(), "e" * 64
        sealed = seal_paper(own_key(self.stage.settings), content, digest)
        await self.stage.execute(
            "INSERT INTO evidence_paper VALUES (:dispute, :hash, :digest, :sealed, now())",
            dispute=DISPUTE, hash=evidence_hash, digest=digest, sealed=sealed,
        )  # fmt: skip
        await self.stage.tell(
            DisputeEvidencePrepared(
                campaign_id=self.ids["campaign_id"], commitment_id=self.ids["commitment_id"],
                participant_id=self.subjects["owner"], dispute_id=DISPUTE, evidence_hash=evidence_hash,
                prepared_by="olga", paper_digest=digest,
            )
        )  # fmt: skip

    async def _tell_fulfillment(self) -> None:
        invitation = {name: self.ids[name] for name in ("campaign_id", "invitation_id", "supplier_id")}
        supplier_id = self.ids["supplier_id"]
        await self.stage.tell(
            SupplierRegistered(
                supplier_id=supplier_id, display_name="Bound Supply", payout_account_id="acct_canary", tier="proven"
            )
        )
        await self.stage.tell(SupplierInvited(**invitation, units_so_far=2, terms_hash=self.terms_hash))
        await self.stage.tell(
            AcceptanceWindowOpened(
                **invitation, final_units=2, unit_price_minor=54_900, currency="usd", terms_hash=self.terms_hash,
                opens_at=STARTED, closes_at=HAPPENED,
            )
        )  # fmt: skip
        await self.stage.tell(
            CommitmentsDelivered(
                campaign_id=self.ids["campaign_id"], supplier_id=supplier_id,
                commitment_ids=(self.ids["commitment_id"],), evidence="signed", inspection_until=HAPPENED,
            )
        )  # fmt: skip
        await self.stage.tell(
            ClearingPlanSubmitted(
                campaign_id=self.ids["campaign_id"], plan_id=self.ids["plan_id"], plan_kind="release",
                plan_hash="c" * 64, maker_id=str(uuid4()), reason="All conditions are met.", supplier_id=supplier_id,
                gross_minor=109_800, reserve_minor=0, fee_minor=3_294, net_minor=106_506, currency="usd", line_count=1,
                conditions=(ReleaseCondition(name="supplier_accepted", met=True, evidence=()),),
            )
        )  # fmt: skip
        line = LinePreview(
            commitment_id=self.ids["commitment_id"], amount_minor=109_800, account=f"escrow:{self.ids['commitment_id']}",
            before_minor=109_800, after_minor=0,
        )  # fmt: skip
        await self.stage.tell(
            ClearingPlanLinesTold(
                campaign_id=self.ids["campaign_id"], plan_id=self.ids["plan_id"], currency="usd", lines=(line,)
            )
        )

    async def _tell_alert(self) -> None:
        waited = TargetPercent(kind="target_percent", campaign_id=self.ids["campaign_id"], percent=90)
        await self.stage.tell(
            AlertRuleSet(participant_id=self.subjects["owner"], rule_id=self.ids["rule_id"], rule=waited)
        )

    async def _passkey(self, person: str) -> None:
        """A passkey that this person has; the owner's is the one that is asked for."""
        passkey = NewPasskey(
            id=self.ids["passkey_id"] if person == "owner" else uuid4(),
            credential_id=uuid4().bytes,
            subject_id=self.subjects[person],
            public_key=b"key",
            sign_count=0,
            name=f"label of {person}",
        )
        async with self.stage.owner.begin() as connection:
            await insert_passkey(connection, passkey, now=wall_now())

    async def _invitations(self) -> None:
        """One invitation of the owner's, and one for each operation that takes a token."""
        issued = await self.client("owner").post("/v1/member-invitations", json={"note": "label of owner"})
        self.ids["member_invitation_id"] = UUID(issued.json()["id"])
        opening = {"campaign_id": str(self.ids["campaign_id"])}
        wanted = {"sign_up_code_ask": {}, "member_invitations_preview": {}, "member_invitations_redeem": opening}
        for operation, body in wanted.items():
            issued = await self.client("operations").post("/v1/member-invitations", json=body)
            assert issued.status_code == 201, issued.text
            self.tokens[operation] = issued.json()["token"]

    async def _operation(self) -> None:
        """The owner reports a fault: an operation, an issue with its text."""
        owner = self.client("owner")
        path = f"/v1/commitments/{self.ids['commitment_id']}"
        await self.stage.seen(owner, path)
        answer = await owner.post(
            f"{path}/issues",
            json={"description": DESCRIPTION},
            headers={"Idempotency-Key": uuid4().hex, "Prefer": "wait=0"},
        )
        assert answer.status_code == 202, answer.text
        self.ids["operation_id"] = UUID(answer.json()["id"])
        self.ids["issue_id"] = UUID(answer.json()["resource"]["id"])
        await self.stage.tell(
            IssueReported(
                campaign_id=self.ids["campaign_id"], commitment_id=self.ids["commitment_id"],
                participant_id=self.subjects["owner"], issue_id=self.ids["issue_id"], description_digest="a" * 64,
            )
        )  # fmt: skip

    async def _until(self, client: httpx.AsyncClient, path: str, identity: UUID) -> None:
        for _ in range(int(TOLD_WITHIN_SECONDS / 0.05)):
            if str(identity) in (await client.get(path)).text:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} never showed {identity}")


def body_model(operation: str) -> str | None:
    """The model of an operation's body, by the interface description."""
    for path in DOCUMENT["paths"].values():
        for described in path.values():
            if described["operationId"] == operation and "requestBody" in described:
                schema = described["requestBody"]["content"]["application/json"]["schema"]
                return str(schema["$ref"].rsplit("/", 1)[-1]) if "$ref" in schema else None
    return None


def addresses() -> set[tuple[str, str, str]]:
    """Operation, method and address of every route that the application has."""
    found = {(name, "GET", path) for name, path, _ in PLAIN_ROUTES}
    for router in (*ROUTERS, local_sign_in.router):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            found |= {(str(route.operation_id), method, route.path) for method in route.methods}
    return found
