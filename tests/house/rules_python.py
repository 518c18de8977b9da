"""Rules about what Python code may use, and where: clocks, printing, floats, imports, Stripe."""

import ast
import re
from collections.abc import Iterator

from tests.house.repository import Finding, Rule, Source
from tests.house.syntax import called_name, dotted, functions, imported_modules, nodes, strings, used_names

OTHER_CLOCKS = frozenset(
    {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "time.time",
        "time.time_ns",
    }
)
CLOCK_HOME = ("services/kit/clock.py", "deploy/*")

MONEY_MODULES = (
    "contracts/money.py",
    "contracts/ledger.py",
    "contracts/clearing.py",
    "contracts/escrow.py",
    "contracts/terms.py",
    "services/*/domain/*.py",
    "services/escrow/store/*.py",
)
MONEY_NAME = re.compile(r"(?:^|_)(?:minor|amount|price|fee|fees|cents)(?:_|$)")
NOT_MONEY_NAME = re.compile(r"(?:seconds|milliseconds|ratio|percent|per_second)(?:_max|_min)?$")

STRIPE_HOMES = (
    "services/escrow/calls*.py",
    "services/escrow/calls/*.py",
    "services/gateway/*webhook*.py",
)


def time_comes_from_the_kit(source: Source) -> Iterator[Finding]:
    """Stack time and wall time are two things; a private look at the clock mixes them, and makes
    a window impossible to test by moving the stack's time."""
    if source.matches(CLOCK_HOME):
        return
    for line, name in used_names(source.tree):
        if name in OTHER_CLOCKS:
            yield Finding(source.path, line, f"{name} is not one of the kit's two clocks")


def nothing_is_printed(source: Source) -> Iterator[Finding]:
    """A printed line has no level, no trace id and no reader; a service logs, the tool prints."""
    for node in nodes(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) == "print":
            yield Finding(source.path, node.lineno, "print is for the command-line tool")


def money_module_has_no_float(source: Source) -> Iterator[Finding]:
    """A float cannot hold a cent exactly; in a ledger a rounding error is a loss somebody bears."""
    for node in nodes(source.tree):
        if isinstance(node, ast.Name) and node.id == "float":
            yield Finding(source.path, node.lineno, "float in a module about money")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield Finding(source.path, node.lineno, f"{node.value} is a float, in a money module")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield Finding(source.path, node.lineno, "true division makes a float; use //")


def amount_never_meets_a_float(source: Source) -> Iterator[Finding]:
    """An amount is whole minor units wherever it travels, not only in the modules about money."""
    for node in nodes(source.tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            name = node.arg if isinstance(node, ast.arg) else dotted(node.target)
            if _is_money(name) and _mentions_float(node.annotation):
                yield Finding(source.path, node.lineno, f"{name} is money and typed as a float")
        elif isinstance(node, ast.Call) and dotted(node.func) == "float":
            yield from _money_operands(source, node.lineno, node.args, "float() of")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield from _money_operands(source, node.lineno, [node.left, node.right], "division of")


def imports_stand_at_the_top(source: Source) -> Iterator[Finding]:
    """What a module needs is read in its first lines, and a missing part shows at the start."""
    for function in functions(source.tree):
        for node in ast.walk(function):
            for line, module in imported_modules(node):
                yield Finding(source.path, line, f"{module} is imported inside {function.name}")


def stripe_has_two_homes(source: Source) -> Iterator[Finding]:
    """Money leaves and enters at two places that can be read in one sitting: escrow's calls, and
    the check of a webhook's signature. A third place would be a call without an intent."""
    if source.matches(STRIPE_HOMES):
        return
    for node in nodes(source.tree):
        names = imported_modules(node)
        if isinstance(node, ast.Call) and called_name(node) in {"import_module", "__import__"}:
            names = list(strings(node))
        for line, name in names:
            if name.partition(".")[0] == "stripe":
                yield Finding(source.path, line, "stripe is imported outside its two homes")


def _is_money(name: str) -> bool:
    last = name.rpartition(".")[2]
    return bool(MONEY_NAME.search(last)) and not NOT_MONEY_NAME.search(last)


def _mentions_float(annotation: ast.AST) -> bool:
    return any(isinstance(n, ast.Name) and n.id == "float" for n in ast.walk(annotation))


def _money_operands(source: Source, line: int, operands: list[ast.expr], what: str) -> Iterator[Finding]:
    for operand in operands:
        name = dotted(operand)
        if _is_money(name):
            yield Finding(source.path, line, f"{what} the amount {name}")


SERVICES = ("services/*.py", "contracts/*.py")
PRODUCT = (*SERVICES, "deploy/*.py")
EVERYWHERE = (*PRODUCT, "tests/*.py")

RULES = (
    Rule(time_comes_from_the_kit, EVERYWHERE),
    Rule(nothing_is_printed, SERVICES),
    Rule(money_module_has_no_float, MONEY_MODULES),
    Rule(amount_never_meets_a_float, PRODUCT),
    Rule(imports_stand_at_the_top, EVERYWHERE),
    Rule(stripe_has_two_homes, PRODUCT),
)
