"""Rules about subscribers: what the broker library would otherwise decide by its defaults."""

import ast
from collections.abc import Iterator

from tests.house.repository import Finding, Rule, Source
from tests.house.syntax import called_name, dotted, nodes

STATED = ("ack_policy", "auto_offset_reset", "group_id")
FIRST_OFFSET = "earliest"
LOSING_POLICY = "ACK_FIRST"


def subscriber_states_its_delivery(source: Source) -> Iterator[Finding]:
    """The library's defaults lose messages: it acknowledges before handling, starts at the newest
    message, and belongs to no group. So each subscriber states all three."""
    for node in nodes(source.tree):
        if isinstance(node, ast.Call) and called_name(node) == "subscriber":
            yield from _unstated(source, node)


def _unstated(source: Source, call: ast.Call) -> Iterator[Finding]:
    stated = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    for name in STATED:
        if name not in stated:
            yield Finding(source.path, call.lineno, f"a subscriber does not state {name}")
    offset = stated.get("auto_offset_reset")
    if isinstance(offset, ast.Constant) and offset.value != FIRST_OFFSET:
        yield Finding(source.path, call.lineno, f"a subscriber starts at {offset.value!r}")
    if dotted(stated.get("ack_policy", ast.Constant(None))).endswith(LOSING_POLICY):
        yield Finding(source.path, call.lineno, "a subscriber acknowledges before it has handled")


RULES = (Rule(subscriber_states_its_delivery, ("services/*.py", "deploy/*.py", "tests/*.py")),)
