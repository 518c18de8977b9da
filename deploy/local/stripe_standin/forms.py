"""Stripe's bracket encoding, and typed reading of parameters.

Owns the way from ``metadata[a]=1&expand[]=x`` to checked values. Unknown parameters are refused as
Stripe refuses them, so that a misspelt one never passes in silence. It does not know parameters
that Stripe has and the stand-in lacks: those are refused too, and the message says so.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from deploy.local.stripe_standin import settings
from deploy.local.stripe_standin.errors import StripeError, invalid

Pairs = list[tuple[str, str]]
_INTEGER = re.compile(r"-?[0-9]{1,15}")


def parse_pairs(raw: bytes) -> Pairs:
    """Decode a urlencoded body or query; at most ``FORM_FIELDS_MAX`` fields."""
    try:
        return parse_qsl(
            raw.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=False,
            max_num_fields=settings.FORM_FIELDS_MAX,
        )
    except ValueError as error:
        raise invalid("The request's parameters cannot be read.") from error


def build_tree(pairs: Pairs) -> dict[str, Any]:
    """Nest ``a[b][c]=v``; a list is a dict with number keys until it is read as one."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        if "[" not in name:
            tree[name] = value
            continue
        steps = name.replace("]", "").split("[")
        node = tree
        for step in steps[:-1]:
            child = node.get(step)
            if not isinstance(child, dict):
                child = node[step] = {}
            node = child
        last = steps[-1] or str(len(node))
        node[last] = value
    return tree


class Params:
    """The parameters of one call, each read once; ``finish`` refuses what nobody read."""

    def __init__(self, tree: dict[str, Any], *, prefix: str = "") -> None:
        self.tree = tree
        self._left = dict(tree)
        self._prefix = prefix

    def _path(self, name: str) -> str:
        return f"{self._prefix}[{name}]" if self._prefix else name

    def text(self, name: str, *, choices: tuple[str, ...] | None = None, max_chars: int = 5000) -> str | None:
        """A string, or None when it is absent or empty (Stripe reads empty as unset)."""
        value = self._left.pop(name, None)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {name}", param=self._path(name))
        if len(value) > max_chars:
            raise invalid(f"Invalid string: must be at most {max_chars} characters", param=self._path(name))
        if choices is not None and value not in choices:
            allowed = ", ".join(choices)
            raise invalid(f"Invalid {name}: must be one of {allowed}", param=self._path(name))
        return value

    def need_text(self, name: str, *, choices: tuple[str, ...] | None = None) -> str:
        """A string that must be there."""
        value = self.text(name, choices=choices)
        if value is None:
            raise self._absent(name)
        return value

    def integer(self, name: str, *, minimum: int = 0) -> int | None:
        """A whole number in Stripe's range, or None when absent."""
        value = self.text(name)
        if value is None:
            return None
        path = self._path(name)
        if not _INTEGER.fullmatch(value):
            raise invalid(f"Invalid integer: {value}", param=path, code="parameter_invalid_integer")
        number = int(value)
        if number < minimum:
            raise invalid(
                f"This value must be greater than or equal to {minimum}.",
                param=path,
                code="parameter_invalid_integer",
            )
        return number

    def amount(self, name: str = "amount") -> int | None:
        """Minor units, at least 1, at most Stripe's 99,999,999."""
        number = self.integer(name, minimum=1)
        if number is not None and number > settings.LARGEST_AMOUNT_MINOR:
            raise StripeError("Amount must be no more than $999,999.99", code="amount_too_large", param=name)
        return number

    def need_amount(self) -> int:
        """The amount, which must be there."""
        number = self.amount()
        if number is None:
            raise self._absent("amount")
        return number

    def need_currency(self) -> str:
        """A three-letter code in small letters."""
        code = self.need_text("currency").lower()
        if len(code) != 3 or not code.isalpha():
            raise invalid(f"Invalid currency: {code}", param=self._path("currency"))
        return code

    def flag(self, name: str) -> bool | None:
        """true or false, or None when absent."""
        value = self.text(name, choices=("true", "false"))
        return None if value is None else value == "true"

    def metadata(self) -> dict[str, str]:
        """Metadata within Stripe's bounds: 50 keys, 40 and 500 characters."""
        value = self._left.pop("metadata", None)
        if value is None or value == "":
            return {}
        if not isinstance(value, dict) or len(value) > settings.METADATA_KEYS_MAX:
            raise invalid("Invalid metadata", param=self._path("metadata"))
        for key, text in value.items():
            if len(key) > settings.METADATA_KEY_CHARS_MAX:
                raise invalid("Metadata keys have at most 40 characters", param="metadata")
            if not isinstance(text, str) or len(text) > settings.METADATA_VALUE_CHARS_MAX:
                raise invalid("Metadata values have at most 500 characters", param="metadata")
        return {key: text for key, text in value.items() if text != ""}

    def group(self, name: str) -> Params | None:
        """Nested parameters, or None when absent."""
        value = self._left.pop(name, None)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {name}", param=self._path(name))
        return Params(value, prefix=self._path(name))

    def texts(self, name: str) -> list[str]:
        """A list of strings, empty when absent."""
        value = self._left.pop(name, None)
        if value is None or value == "":
            return []
        items = list(value.values()) if isinstance(value, dict) else [value]
        if not all(isinstance(item, str) for item in items):
            raise invalid(f"Invalid array: {name}", param=self._path(name))
        return items

    def ignore(self, *names: str) -> None:
        """Accept parameters that change nothing here."""
        for name in names:
            self._left.pop(name, None)

    def finish(self) -> None:
        """Refuse whatever was not read."""
        for name in self._left:
            path = self._path(name)
            raise invalid(
                f"Received unknown parameter: {path} (unknown to Stripe, or not in the stand-in)",
                param=path,
                code="parameter_unknown",
            )

    def _absent(self, name: str) -> StripeError:
        path = self._path(name)
        return invalid(f"Missing required param: {path}.", param=path, code="parameter_missing")
