"""What the supervisor runs: parts that stay, and tasks that end; each waits for what it needs.

Owns the description only. The graph is small and fixed, so a cycle in it is a bug that the first
start would show by standing still; `check_units` turns that into an error at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.part import Launch, Part


@dataclass(frozen=True)
class PartUnit:
    """A part that runs until the stack ends; `after` is called once it is first ready."""

    name: str
    part: Callable[[], Part]
    needs: frozenset[str] = frozenset()
    after: Callable[[Part], None] | None = None
    # Parts of a higher stage are ended first.
    stage: int = 0


@dataclass(frozen=True)
class TaskUnit:
    """A step that ends: a command of its own, or a function of ours."""

    name: str
    needs: frozenset[str] = frozenset()
    launch: Callable[[], Launch | None] | None = None
    call: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    seconds_max: float = 300.0
    # A stack without the result of an optional step still serves: its failure is a notice.
    optional: bool = False


@dataclass
class Plan:
    """All units of a stack, and what to do when the last part has ended."""

    units: list[PartUnit | TaskUnit]
    on_stopped: list[Callable[[], None]] = field(default_factory=list)


def check_units(units: list[PartUnit | TaskUnit]) -> None:
    """Raise ValueError when a need is unknown or the needs go in a circle."""
    done: set[str] = set()
    left = {unit.name: unit.needs for unit in units}
    while left:
        free = [name for name, needs in left.items() if needs <= done]
        if not free:
            raise ValueError(f"units wait for each other or for unknown ones: {sorted(left)}")
        done.update(free)
        for name in free:
            del left[name]
