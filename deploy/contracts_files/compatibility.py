"""Is a message's new schema compatible with the committed one? Old producers and old consumers must both go on.

A break: a field is gone, a type or pattern changed, a bound is tighter, a field became required, a literal lost or gained
a value that an old consumer would refuse. It cannot see a changed meaning under an unchanged shape.
"""

from __future__ import annotations

from typing import Any

TIGHTENING = ("minimum", "exclusiveMinimum", "minLength", "minItems")
LOOSENING = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
SAME = ("type", "format", "pattern", "const", "$ref")


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Every break between two JSON schemas of one message, in words; empty when they are compatible."""
    found: list[str] = []
    _compare(old, new, old, new, "", found, 0)
    return found


DEPTH_MAX = 12


def _compare(
    old: dict[str, Any],
    new: dict[str, Any],
    old_root: dict[str, Any],
    new_root: dict[str, Any],
    path: str,
    found: list[str],
    depth: int,
) -> None:
    if depth > DEPTH_MAX:
        return
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    for name in SAME:
        if name != "$ref" and old.get(name) != new.get(name):
            found.append(f"{path or '/'}: {name} was {old.get(name)!r}, is {new.get(name)!r}")
    if set(old.get("enum", [])) != set(new.get("enum", [])):
        found.append(f"{path or '/'}: the allowed values changed")
    found += [f"{path or '/'}: {name} is tighter" for name in TIGHTENING if new.get(name, -1) > old.get(name, -1)]
    found += [
        f"{path or '/'}: {name} is tighter"
        for name in LOOSENING
        if new.get(name, float("inf")) < old.get(name, float("inf"))
    ]
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    found += [f"{path}/{name}: the field is gone" for name in old_fields if name not in new_fields]
    newly = set(new.get("required", [])) - set(old.get("required", []))
    found += [f"{path}/{name}: the field became required" for name in sorted(newly)]
    for name in old_fields.keys() & new_fields.keys():
        _compare(old_fields[name], new_fields[name], old_root, new_root, f"{path}/{name}", found, depth + 1)
    if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
        _compare(old["items"], new["items"], old_root, new_root, f"{path}[]", found, depth + 1)
    if len(old.get("anyOf", [])) != len(new.get("anyOf", [])):
        found.append(f"{path or '/'}: the alternatives changed")
    else:
        for index, (one, other) in enumerate(zip(old.get("anyOf", []), new.get("anyOf", []), strict=True)):
            _compare(one, other, old_root, new_root, f"{path}|{index}", found, depth + 1)


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return dict(target)
