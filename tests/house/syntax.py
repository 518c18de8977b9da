"""Small helpers over Python syntax trees that several rules share.

Names are resolved through a module's own imports only: a function handed on under another name, or
fetched with `getattr`, is not recognised.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache

Function = ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=4096)
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return every node of a syntax tree. A dozen rules look at the same trees, and walking one is what takes long."""
    return tuple(ast.walk(tree))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method, nested ones included."""
    for node in nodes(tree):
        if isinstance(node, Function):
            yield node


def used_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full dotted name of every name that an import of the module leads to.

    With `from datetime import datetime as dt`, the expression `dt.now` is `datetime.datetime.now`.
    """
    aliases = _aliases(tree)
    for node in nodes(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = dotted(node)
            head, _, rest = name.partition(".")
            if head in aliases:
                yield node.lineno, aliases[head] + (f".{rest}" if rest else "")


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for such an expression, the empty string for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def imported_modules(node: ast.AST) -> list[tuple[int, str]]:
    """Return line and name of the modules an import names; nothing for any other node."""
    if isinstance(node, ast.Import):
        return [(node.lineno, alias.name) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.lineno, node.module or ".")]
    return []


def called_name(call: ast.Call) -> str:
    """Return the last part of what is called: `c` for `a.b.c(…)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string in an expression, the fixed parts of f-strings too."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.lineno, inner.value


def _aliases(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                found[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found
