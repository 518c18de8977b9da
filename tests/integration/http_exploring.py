"""Explore an interface by its description: Schemathesis makes requests from it and judges the answers by it.

Owns how the exploration is set up, so that a failure repeats: fixed seed, no random choice, one worker, keys that count
upwards. It runs in a process of its own, because a gateway and its explorer in one process hold each other up. Every operation is asked with a token of a role that may ask it; ids of things that exist are mixed in, so that
answers have something in them. After that it walks along the links that the description has: one part after another, each
being the answers that name a thing of one kind and the operations that take it. What a walk comes upon changes as it goes,
and then a run of walks may end itself, so there can be several rounds of them. It waits for no outcome (`Prefer: wait=0`), because nobody decides behind the gateway here.
It cannot explore a stream that never ends; those have tests of their own.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

SEED = 20_261_121
STEPS_PER_WALK = 15
STATEFUL = "stateful"
KEY = re.compile(r"^[!-~]{8,255}$")
FAILURES_SHOWN_MAX = 20


ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429"]
EXPECTED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "positive_data_acceptance": (
        {"expected-statuses": [*ACCEPTED, "400"]},
        # Nobody can make up a signature of Stripe's, or a cursor of ours.
        (
            "stripe_webhook",
            "campaigns_list",
            "commitments_list",
            "campaign_commitments",
            "campaign_delivery_addresses",
            "clearing_plan_lines",
            "refunds_unsettled",
            "refunds_campaigns",
            "member_invitations_list",
            "campaign_escrow_transfers",
            "campaign_escrow_export",
            "platform_transfers",
            "platform_transfers_export",
        ),
    ),
    "missing_required_header": (
        # 428 is made for the one; the check knows the others.
        {"expected-statuses": ["400", "401", "403", "422", "428"]},
        ("revise_draft", "addresses_change"),
    ),
    "negative_data_rejection": (
        # A body that may be left out is taken for a wrong one when it is left out; their bad bodies have tests of their own.
        {"enabled": False},
        ("submit_campaign", "withdraw_commitment", "retry_plan_transfer", "remove_alert_rule", "prepare_evidence"),
    ),
}
"""Check → its settings for operations where a description cannot say what is asked."""
ALSO_ACCEPTED: dict[str, str] = {
    # Blanks of other scripts are blanks for one engine of patterns and none for another.
    "dev_sign_in": "422",
    "dev_participants": "422",
    # A supplier is named in a supplier's invitation only.
    "member_invitations_issue": "422",
    # Lines and evidence are named in a plan by hand only.
    "submit_clearing_plan": "422",
    # A version that was made up is never the present one.
    "revise_draft": "412",
    "addresses_change": "412",
    # A group has a name and a person has none, which a description of fields cannot say.
    "account_kind_choose": "422",
    "sign_up_code_ask": "422",
}
"""Operation → the refusal of what its description takes for good."""
schemathesis.serializer.alias(["application/csp-report", "application/reports+json"], "application/json")


@dataclass
class Exploration:
    """What was found: how many requests by phase, the links that were followed and answered, and each failure once."""

    cases: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many requests were sent and judged."""
        return sum(self.cases.values())

    def told(self) -> str:
        """The failures, for a person."""
        return "\n\n".join(list(self.failures.values())[:FAILURES_SHOWN_MAX])


async def explore_aside(description: Mapping[str, Any], url: str, **how: Any) -> Exploration:
    """Explore in another process; see `explore`."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, partial(explore, description, url, **how))


def explore(
    description: Mapping[str, Any],
    url: str,
    *,
    tokens: Mapping[str, str],
    ids: Mapping[str, str],
    examples_per_operation: int,
    coverage_every: int = 1,
    walks_per_part: int = 0,
    rounds: int = 1,
    kinds: Container[str] | None = None,
    without: Iterable[str] = (),
    unlinked: Iterable[str] = (),
) -> Exploration:
    """Explore the interface at `url`. `tokens` maps operations to bearer tokens, `ids` path parameters to what exists,
    `without` names operations that are left out, `unlinked` those that no link is followed to. Each part is walked in as
    many rounds as asked for; `kinds` chooses parts by their parameter, all of them when none is named."""
    described = with_ids(description, ids)
    operations = _operations(tokens, without)
    parts = [
        linked_part(described, parameter, without={*without, *unlinked})
        for parameter in linked_by(described)
        if walks_per_part and (kinds is None or parameter in kinds)
    ]
    found = Exploration()
    keys, coverage = itertools.count(), itertools.count()

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        headers = case.headers if case.headers is not None else {}
        if KEY.match(str(headers.get("Idempotency-Key", ""))):
            headers["Idempotency-Key"] = f"exploration-{next(keys):09d}"
            headers["Prefer"] = "wait=0"
            case.headers = headers
        case.body = _fitting(case.body, url)

    def filter_case(_context: Any, case: Any) -> bool:
        if case.meta is None or case.meta.phase.name.value != "coverage":
            return True
        return next(coverage) % coverage_every == 0

    # This hook exists for the whole process only, so it is taken away again.
    schemathesis.hook(before_call)
    schemathesis.hook(filter_case)
    try:
        _run(found, described, _config(url, operations, examples_per_operation, seed=SEED))
        for number in range(rounds):
            for part in parts:
                _run(found, part, _config(url, operations, walks_per_part, seed=SEED + number, walks=True))
    finally:
        GLOBAL_HOOK_DISPATCHER.unregister(before_call)
        GLOBAL_HOOK_DISPATCHER.unregister(filter_case)
    return found


def _run(found: Exploration, described: dict[str, Any], config: SchemathesisConfig) -> None:
    for event in from_schema(schemathesis.openapi.from_dict(described, config=config)).execute():
        _follow(found, event)


def _fitting(body: Any, url: str) -> Any:
    """A body as the description means it, where JSON Schema cannot say so: a whole number is written without a fraction,
    and the address to come back to is one of the site's."""
    if isinstance(body, float) and body.is_integer():
        return int(body)
    if isinstance(body, list):
        return [_fitting(each, url) for each in body]
    if isinstance(body, dict):
        made = {name: _fitting(each, url) for name, each in body.items()}
        back = made.get("return_url")
        if isinstance(back, str) and re.match("https?://", back):
            made["return_url"] = f"{url}/commitments"
        return made
    return body


def _follow(found: Exploration, event: Any) -> None:
    if isinstance(event, events.ScenarioFinished):
        _note(found, event)
    elif isinstance(event, events.NonFatalError):
        found.failures[f"error {event.label}"] = f"{event.label}: {event.value!r}"
    elif isinstance(event, events.FatalError):
        raise event.exception


def with_ids(description: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The description with ids of things that exist as examples of its path parameters."""
    made = copy.deepcopy(dict(description))
    for path in made["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in ids:
                    parameter["example"] = ids[parameter["name"]]
    return made


def linked_by(description: Mapping[str, Any]) -> list[str]:
    """The parameters that links of a description fill: one for each kind of thing."""
    return sorted({name for _, link in _links(description) for name in link["parameters"]})


def linked_part(description: Mapping[str, Any], parameter: str, *, without: Container[str]) -> dict[str, Any]:
    """The part of a description that belongs to one kind of thing: the operations whose answers lead to it and those that
    are led to. A walk begins at things that exist, and at a list as it is without being narrowed."""
    pairs = [(source, link["operationId"]) for source, link in _links(description) if parameter in link["parameters"]]
    wanted = {operation for pair in pairs for operation in pair if operation not in without}
    made: dict[str, Any] = {**copy.deepcopy(dict(description)), "paths": {}}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            if operation["operationId"] in wanted:
                kept = copy.deepcopy(operation)
                address = _settled(path, kept, parameter)
                for response in kept["responses"].values():
                    response["links"] = {
                        name: link
                        for name, link in response.get("links", {}).items()
                        if parameter in link["parameters"] and link["operationId"] in wanted
                    }
                made["paths"].setdefault(address, {})[method] = kept
    return made


def _settled(path: str, operation: dict[str, Any], parameter: str) -> str:
    """An operation's address with what else stands in it filled in; what may be left out of the query is left out."""
    kept = []
    for each in operation.get("parameters", ()):
        if each["in"] == "path" and "example" in each:
            if each["name"] != parameter:
                path = path.replace(f"{{{each['name']}}}", each["example"])
                continue
            each["schema"] = {"enum": [each["example"]]}
        if each["in"] != "query" or each.get("required", False):
            kept.append(each)
    operation["parameters"] = kept
    return path


def _links(description: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each link with the operation whose answer has it."""
    for operations in description["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                for link in response.get("links", {}).values():
                    yield operation["operationId"], link


def _operations(tokens: Mapping[str, str], without: Iterable[str]) -> list[dict[str, Any]]:
    """What is set for single operations."""
    operations: list[dict[str, Any]] = [
        {"include-operation-id": operation, "headers": {"Authorization": f"Bearer {token}"}}
        for operation, token in tokens.items()
    ]
    operations += [{"include-operation-id": operation, "enabled": False} for operation in without]
    operations += [
        {"include-operation-id": operation, "checks": {check: settings}}
        for check, (settings, names) in EXPECTED.items()
        for operation in names
    ]
    operations += [
        {
            "include-operation-id": operation,
            "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, status]}},
        }
        for operation, status in ALSO_ACCEPTED.items()
    ]
    return operations


def _config(
    url: str, operations: list[dict[str, Any]], examples: int, *, seed: int, walks: bool = False
) -> SchemathesisConfig:
    """The settings of one run: every operation by itself, or with `walks` from operation to operation along the links."""
    phases: dict[str, dict[str, Any]] = {
        "examples": {"enabled": not walks},
        "coverage": {"enabled": not walks, "unexpected-methods": ["get", "post", "delete"]},
        "fuzzing": {"enabled": not walks},
        STATEFUL: {"enabled": walks, "max-steps": STEPS_PER_WALK, "inference": {"algorithms": []}},
    }
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": url,
            "workers": 1,
            # 202 says that a thing may come to be; behind this gateway nobody decides, so it never does.
            "checks": {"ensure_resource_availability": {"enabled": False}},
            "phases": phases,
            "continue-on-failure": True,
            "generation": {
                "deterministic": True,
                "database": "none",
                "max-examples": examples,
                "no-shrink": True,
                "allow-x00": False,
                "with-security-parameters": False,
            },
            "operations": operations,
        }
    )


def _note(found: Exploration, event: events.ScenarioFinished) -> None:
    phase = event.phase.value
    for identity, interaction in event.recorder.interactions.items():
        found.cases[phase] += 1
        case = event.recorder.cases.get(identity)
        if case is not None:
            label = str(case.value.operation.label)
            found.operations[label] += 1
            answered = interaction.response is not None and interaction.response.status_code < 300
            if answered and case.transition is not None and case.is_transition_applied:
                found.followed[f"{_name(event.recorder.cases[case.parent_id])} -> {_name(case)}"] += 1
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
    for identity, checks in event.recorder.checks.items():
        for check in checks:
            if check.status == Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                key = f"{failure.operation} {check.name} {failure.title}"
                interaction = event.recorder.interactions.get(identity)
                answer = interaction.response if interaction is not None else None
                said = f"{answer.status_code} {answer.text[:600]}" if answer is not None else "no answer"
                found.failures.setdefault(
                    key, f"{key} ({phase})\n{failure.message}\n{check.failure_info.code_sample}\n{said}"
                )


def _name(case: Any) -> str:
    """The operation that a case asked."""
    return str(case.value.operation.definition.raw["operationId"])
