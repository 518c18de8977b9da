"""The authorization policy held against a running gateway: operations, objects, fields, and fields that nobody may set.

Every test here is generated from `services/gateway/domain/policy.py`; a new operation joins by its line there.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel

from contracts.envelope import known_messages
from services.gateway.app import PLAIN_ROUTES
from services.gateway.domain.policy import ANSWERS, MAY_ASK, POLICY, ROLE_OF, RULES, SEEN_BY, Rule
from services.gateway.openapi import document
from services.gateway.problems import ERRORS_MAX
from services.gateway.schemas.describing import BODY_MODELS
from services.gateway.schemas.examples import BODY_EXAMPLES
from tests.integration.gateway_people import DESCRIPTION, People, addresses, body_model
from tests.integration.gateway_support import DESCRIBED, Stage, make_stage

pytestmark = pytest.mark.asyncio

READS = [rule for rule in RULES if rule.access == "read"]
WRITES = [rule for rule in RULES if rule.access == "write"]
WITH_BODY = [rule for rule in WRITES if body_model(rule.operation) is not None]
PLAIN = {name for name, _, _ in PLAIN_ROUTES}
"""What is not part of the described interface: documents and pages."""
OBJECTS = {
    "campaigns_list": "campaign_id",
    "commitments_list": "commitment_id",
    "campaign_commitments": "commitment_id",
    "campaign_issues": "issue_id",
    "suppliers_list": "supplier_id",
    "invitations_list": "invitation_id",
    "campaign_clearing_plans": "plan_id",
    "cases_list": "case_id",
    "disputes_list": "dispute_id",
    "alerts_list": "rule_id",
    "operations_list": "operation_id",
    "sessions_list": "session_id",
    "addresses_list": "address_id",
    "member_invitations_list": "member_invitation_id",
}
"""List → the object that stands in it for those with `y` and is missing for those with `e`."""


@pytest_asyncio.fixture(scope="module")
async def people() -> AsyncIterator[People]:
    async with make_stage(codes_free_per_account=1_000) as stage:
        yield await People(stage).prepare()


def ids(rule: Rule) -> str:
    return rule.operation


async def stored(stage: Stage) -> int:
    """How many acts the gateway keeps."""
    (row,) = await stage.rows("SELECT count(*) AS count FROM operation")
    return int(row.count)


async def test_the_policy_names_every_route_and_nothing_else() -> None:
    assert {(rule.operation, rule.method, rule.path) for rule in RULES} == addresses()
    assert len(POLICY) == len(RULES)
    described = {each["operationId"] for path in document()["paths"].values() for each in path.values()}
    assert described | PLAIN == set(POLICY)


@pytest.mark.parametrize("rule", RULES, ids=ids)
async def test_everybody_gets_the_answer_that_the_policy_names(people: People, rule: Rule) -> None:
    for person in ROLE_OF:
        letter = rule.expected[person]
        status, code = ANSWERS[letter]
        before = await stored(people.stage)
        role = ROLE_OF["owner"] if person == "foreign_page" else ROLE_OF[person]
        holder = "owner" if person == "foreign_page" else person
        session = await people.open_session(holder) if rule.operation == "sign_out" and role is not None else None
        answer = await people.ask(rule, person, session=session)
        told = f"{rule.operation} as {person}: {answer.status_code} {answer.text[:300]}"
        assert "access-control-allow-origin" not in answer.headers, told
        if code is not None:
            assert (answer.status_code, answer.json()["code"]) == (status, code), told
            assert await stored(people.stage) == before, told
        elif rule.access == "write":
            assert answer.is_success, told
        elif rule.operation == "site":
            assert answer.status_code in {200, 404}, told
        else:
            assert answer.status_code == status, told
        if code is None and rule.operation in OBJECTS:
            shown = str(people.ids[OBJECTS[rule.operation]]) in [each["id"] for each in answer.json()["data"]]
            assert shown is (letter == "y"), told


def values_at(body: Any, pointer: str) -> list[Any]:
    """What stands at a place; `*` stands for each member of a list."""
    found = [body]
    for part in pointer.strip("/").split("/"):
        found = [member for each in found for member in each] if part == "*" else [each[part] for each in found]
    return found


def keys_of(body: Any) -> set[str]:
    """The keys of a JSON body at every depth."""
    if isinstance(body, dict):
        return set(body) | {key for value in body.values() for key in keys_of(value)}
    return {key for value in body for key in keys_of(value)} if isinstance(body, list) else set()


def described_model(rule: Rule) -> type[BaseModel] | None:
    """The described body of a read's answer."""
    path = rule.path.replace("{", "").replace("}", "")
    for regex, methods, responses in DESCRIBED:
        if rule.method in methods and regex.match(path) and "model" in responses.get(200, {}):
            model: type[BaseModel] = responses[200]["model"]
            return model
    return None


@pytest.mark.parametrize("rule", READS, ids=ids)
async def test_each_role_sees_exactly_the_fields_that_the_policy_gives_it(people: People, rule: Rule) -> None:
    model = described_model(rule)
    guarded = {pointer: seen_by for (operation, pointer), seen_by in SEEN_BY.items() if operation == rule.operation}
    for person in ROLE_OF:
        if rule.expected[person] != "y" or rule.operation in PLAIN:
            continue
        answer = await people.ask(rule, person)
        if "text/html" in answer.headers["content-type"]:
            assert str(people.subjects["owner"]) not in answer.text, f"{rule.operation} as {person}"
        if not answer.headers["content-type"].endswith("json"):
            assert answer.content, f"{rule.operation} as {person}"
            continue
        body = answer.json()
        if model is not None:
            model.model_validate(body)
        for pointer, seen_by in guarded.items():
            values = values_at(body, pointer)
            assert values, f"{rule.operation} as {person}: nothing at {pointer}"
            assert all((value is not None) is (person in seen_by) for value in values), f"{person} at {pointer}"
        hidden = {"token", "token_hash", "session_id", "email", "external_id", "participant_id", "payout_account_id"}
        if rule.operation in {"client_config", "my_data"}:
            hidden.discard("email")  # The demo logins of the local profile; a person's own address.
        assert not keys_of(body) & hidden, f"{rule.operation} as {person}"


@pytest.mark.parametrize("rule", READS, ids=ids)
async def test_what_is_somebody_elses_appears_in_nobodys_answer(people: People, rule: Rule) -> None:
    secrets = [opened.token for opened in people.sessions.values()] + ["acct_canary"]
    for person in ROLE_OF:
        answer = await people.ask(rule, person)
        mine = {"owner"} if person == "foreign_page" else {person}
        others = [f"label of {other}" for other in people.subjects if other not in mine]
        others += [opened.csrf_token for other, opened in people.sessions.items() if other not in mine]
        found = [word for word in (*others, *secrets) if word in answer.text]
        assert found == [], f"{rule.operation} as {person}"
        if ROLE_OF[person] in {None, "participant", "supplier"} and person not in {"owner", "foreign_page"}:
            assert DESCRIPTION not in answer.text, f"{rule.operation} as {person}"


async def known_columns(stage: Stage) -> set[str]:
    """Every column of the gateway's tables and every field of every message."""
    rows = await stage.rows(
        "SELECT DISTINCT column_name FROM information_schema.columns "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    fields = {name for message in known_messages().values() for name in message.model_fields}
    return {row.column_name for row in rows} | fields | {"is_admin", "roles", "permissions", "__proto__", "constructor"}


def inner_objects(model: type[BaseModel], body: dict[str, Any]) -> list[str]:
    """The names of a body's fields that are described objects themselves; what a browser made is not ours to describe."""
    return [name for name, value in body.items() if isinstance(value, dict) and inner_fields(model, name)]


@pytest.mark.parametrize("rule", WITH_BODY, ids=ids)
async def test_no_known_column_can_be_set_beside_the_described_fields(people: People, rule: Rule) -> None:
    columns = sorted(await known_columns(people.stage))
    assert len(columns) > 150
    name = body_model(rule.operation)
    assert name is not None
    before = await stored(people.stage)
    person = next(person for person in reversed(ROLE_OF) if rule.expected[person] in MAY_ASK)
    valid = people.body(rule, person)
    for inner in (None, *inner_objects(BODY_MODELS[name], valid)):
        described = set(BODY_MODELS[name].model_fields) if inner is None else set(valid[inner])
        if inner is not None:
            described |= set(inner_fields(BODY_MODELS[name], inner))
        extra = [column for column in columns if column not in described]
        for start in range(0, len(extra), ERRORS_MAX):
            added = dict.fromkeys(extra[start : start + ERRORS_MAX], "1")
            body = valid | added if inner is None else valid | {inner: valid[inner] | added}
            answer = await people.ask(rule, person, body=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), (
                f"{rule.operation} {added}"
            )
            prefix = "/" if inner is None else f"/{inner}/"
            named = {each["pointer"] for each in answer.json()["errors"] if each["code"] == "extra_forbidden"}
            assert named == {prefix + column for column in added}
    assert await stored(people.stage) == before


def inner_fields(model: type[BaseModel], name: str) -> list[str]:
    """The fields of an object inside a body."""
    for kind in (model.model_fields[name].annotation, *getattr(model.model_fields[name].annotation, "__args__", ())):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return list(kind.model_fields)
    return []


async def test_every_body_has_an_example_that_fits_it() -> None:
    assert BODY_EXAMPLES.keys() == BODY_MODELS.keys()
    for name, model in BODY_MODELS.items():
        model.model_validate_json(json.dumps(BODY_EXAMPLES[name]))
