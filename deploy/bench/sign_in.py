"""How far the time of an answer tells whether an address has an account: the two steps of a sign-in by a code from a mail.

A known and an unknown address are asked in turn, many times, and the figure is the median of the differences: what a
machine does beside it falls on both. It says nothing about a difference that shows only in many thousand attempts; the
limits on attempts stand before that.
"""

from __future__ import annotations

import json
import statistics
from typing import Any
from uuid import uuid4

from deploy.bench.http_client import Connection, request_bytes

HOST = "127.0.0.1"
PAIRS = 400
PAIRS_TO_WARM_UP = 20
PEOPLE_AT_ONCE = 100
WRONG_CODE = "00000000"


async def measure_sign_in(port: int) -> dict[str, Any]:
    """Ask a gateway of the local profile. Raises RuntimeError when it answers otherwise than expected."""
    connection = Connection(port)
    try:
        known = [_address() for _ in range(PAIRS + PAIRS_TO_WARM_UP)]
        for begin in range(0, len(known), PEOPLE_AT_ONCE):
            people = [{"external_id": uuid4().hex, "email": email} for email in known[begin : begin + PEOPLE_AT_ONCE]]
            await _post(connection, "/v1/dev/participants", {"participants": people}, expect=200)
        pairs = []
        for index, email in enumerate(known):
            # The second one of a pair might find something warm: each kind is the first one as often.
            if index % 2 == 0:
                mine, nobodys = await _attempt(connection, email), await _attempt(connection, _address())
            else:
                nobodys, mine = await _attempt(connection, _address()), await _attempt(connection, email)
            pairs.append((mine, nobodys))
    finally:
        await connection.close()
    pairs = pairs[PAIRS_TO_WARM_UP:]
    steps = [abs(statistics.median(mine[step] - nobodys[step] for mine, nobodys in pairs)) for step in (0, 1)]
    return {
        "sign_in_difference_milliseconds": round(max(steps) * 1000, 2),
        "sign_in_ask_difference_milliseconds": round(steps[0] * 1000, 2),
        "sign_in_answer_difference_milliseconds": round(steps[1] * 1000, 2),
        "baseline_sign_in_ask_milliseconds": round(statistics.median(nobodys[0] for _, nobodys in pairs) * 1000, 1),
    }


async def _attempt(connection: Connection, email: str) -> tuple[float, float]:
    """Seconds of asking for a code and of giving a wrong one."""
    asked, seconds = await _post(connection, "/v1/sign-in/code", {"email": email}, expect=200)
    given = {"challenge": asked["challenge"], "code": WRONG_CODE}
    _, answered = await _post(connection, "/v1/sign-in/code/answer", given, expect=403)
    return seconds, answered


async def _post(
    connection: Connection, path: str, body: dict[str, Any], *, expect: int
) -> tuple[dict[str, Any], float]:
    answer = await connection.ask(request_bytes("POST", path, host=HOST, body=json.dumps(body).encode()))
    if answer.status != expect:
        raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:300]!r}")
    return dict(json.loads(answer.body)), answer.seconds


def _address() -> str:
    return f"{uuid4().hex}@people.test"
