"""Rules about the words that people read: pages, mails, texts of the interface, documents.

They collect the texts where they are written. The rendered pages and mails are read by the tests
that render them, with the same guard. A text fetched from elsewhere at run time is not seen here.
"""

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from contracts.language import (
    QUOTATION_START,
    Violation,
    find_violations,
    find_violations_in_markdown,
    find_violations_in_template,
    template_text,
    visible_text,
)
from tests.house.repository import Finding, Rule, Source, line_of
from tests.house.syntax import called_name, dotted, functions, nodes, strings

DESCRIBING_KEYS = frozenset({"summary", "description", "title", "example", "examples"})
QUOTATION_HOME = "docs/canon/language-rules.md"
SPEAKING_CALLS = frozenset(
    {"echo", "secho", "print", "log", "rule", "fail", "say", "confirm", "BadParameter", "UsageError"}
)
HELP_KEYWORDS = frozenset({"help", "short_help", "epilog", "prompt", "rich_help_panel"})

_JSX_TEXT = re.compile(r"(?:(?<=\n)[ \t]*|(?<![=\-\s]))>([^<>{}=;]*[A-Za-z][^<>{}=;]*)(?=[<{])")
_QUOTED = re.compile(r"""(["'`])((?:(?!\1)(?:\\.|[^\\\n]))*)\1""")
_TS_COMMENT = re.compile(r"/\*.*?\*/|(?m:(?<![:\w])//.*$)", re.DOTALL)


def documents_use_our_words(source: Source) -> Iterator[Finding]:
    """A document teaches the words: whoever reads the wrong one writes it next."""
    yield from _told(source, source.text, find_violations_in_markdown)


def quotation_of_the_rule_has_one_home(source: Source) -> Iterator[Finding]:
    """The mark that exempts quoted words would, anywhere else, be a way around the rule."""
    at = source.text.find(QUOTATION_START)
    if at >= 0 and source.path != QUOTATION_HOME:
        yield Finding(source.path, line_of(source.text, at), "only the rule's page may quote")


def mail_templates_use_our_words(source: Source) -> Iterator[Finding]:
    """A mail is kept by the person who gets it; its words are the longest lived of all."""
    if ".html" in source.path:
        visible = visible_text(template_text(source.text))
        yield from _in_texts(source, [(1, visible)])
    else:
        yield from _told(source, source.text, find_violations_in_template)


def web_catalogue_uses_our_words(source: Source) -> Iterator[Finding]:
    """What the pages say is written in the catalogues; a wrong word there is on every screen."""
    texts = _leaves(json.loads(source.text))
    yield from _in_texts(source, [(1, template_text(text)) for text in texts])


def web_source_uses_our_words(source: Source) -> Iterator[Finding]:
    """A sentence written into a component reaches the same screen as one from a catalogue."""
    text = _TS_COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source.text)
    # Only a .tsx file holds markup: in a .ts file `Promise<T>` would look like it.
    markup = ((_JSX_TEXT, 1),) if source.path.endswith(".tsx") else ()
    for pattern, group in (*markup, (_QUOTED, 2)):
        for match in pattern.finditer(text):
            # A quoted word without a blank is a name in code, not a sentence.
            if group == 1 or " " in match[group]:
                line = line_of(text, match.start(group))
                yield from _in_texts(source, [(line, template_text(match[group]))])


def interface_documents_use_our_words(source: Source) -> Iterator[Finding]:
    """Those who build on the interface copy its descriptions into their own."""
    described = _described(json.loads(source.text))
    yield from _in_texts(source, [(1, text) for text in described])


def error_catalogue_uses_our_words(source: Source) -> Iterator[Finding]:
    """A refusal is read at the worst moment, and word by word."""
    docstrings = _docstrings(source.tree)
    texts = [found for found in strings(source.tree) if found[1] not in docstrings]
    yield from _in_texts(source, [(line, text) for line, text in texts if " " in text])


def papers_use_our_words(source: Source) -> Iterator[Finding]:
    """A record or a file is kept for years: its sentences, headings and columns are read without the page around them."""
    docstrings = _docstrings(source.tree)
    yield from _in_texts(source, [found for found in strings(source.tree) if found[1] not in docstrings])


def command_line_uses_our_words(source: Source) -> Iterator[Finding]:
    """The help of a verb is the first page an operator reads."""
    yield from _in_texts(source, [(at, template_text(text)) for at, text in _spoken(source.tree)])


def _spoken(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the help texts, the docstrings of verbs and what the tool prints."""
    for node in nodes(tree):
        if isinstance(node, ast.Call):
            if called_name(node) in SPEAKING_CALLS:
                for argument in node.args:
                    yield from strings(argument)
            for keyword in node.keywords:
                if keyword.arg in HELP_KEYWORDS:
                    yield from strings(keyword.value)
    for function in functions(tree):
        if any(_is_verb(decorator) for decorator in function.decorator_list):
            yield function.lineno, ast.get_docstring(function) or ""


def _is_verb(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return dotted(target).rpartition(".")[2] in {"command", "callback"}


def _docstrings(tree: ast.Module) -> set[str]:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    described = [node for node in nodes(tree) if isinstance(node, kinds)]
    return {text for node in described if (text := ast.get_docstring(node, clean=False))}


def _leaves(value: Any) -> Iterator[str]:
    """Yield every text of a JSON document, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)


def _described(value: Any) -> Iterator[str]:
    """Yield the texts under keys that describe; a property may itself be named `title`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in DESCRIBING_KEYS and not _is_schema(inner):
                yield from _leaves(inner)
            else:
                yield from _described(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _described(inner)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and ("type" in value or "$ref" in value)


def _told(source: Source, text: str, find: Callable[[str], list[Violation]] = find_violations) -> Iterator[Finding]:
    for violation in find(text):
        yield _finding(source, line_of(text, violation.start), violation)


def _in_texts(source: Source, texts: Iterable[tuple[int, str]]) -> Iterator[Finding]:
    for line, text in texts:
        for violation in find_violations(text):
            yield _finding(source, line + text.count("\n", 0, violation.start), violation)


def _finding(source: Source, line: int, violation: Violation) -> Finding:
    message = f"{violation.term!r} (rule {violation.rule}); instead: {violation.suggestion}"
    return Finding(source.path, line, message)


RULES = (
    Rule(documents_use_our_words, ("*.md",)),
    Rule(quotation_of_the_rule_has_one_home, ("*.md", "*.html", "*.json")),
    Rule(mail_templates_use_our_words, ("services/notifications/templates/*",)),
    Rule(
        web_catalogue_uses_our_words,
        (
            "services/gateway/web/src/*catalogue*.json",
            "services/gateway/web/src/*locales/*.json",
        ),
    ),
    Rule(
        web_source_uses_our_words,
        ("services/gateway/web/src/*.tsx", "services/gateway/web/src/*.ts"),
    ),
    Rule(
        interface_documents_use_our_words,
        ("contracts/openapi.json", "contracts/asyncapi/*.json", "contracts/schemas/*.json"),
    ),
    Rule(error_catalogue_uses_our_words, ("contracts/errors.py",)),
    Rule(
        papers_use_our_words,
        (
            "contracts/payment_rail.py",
            "services/gateway/documents/*.py",
            "services/gateway/domain/*_words.py",
            "services/gateway/domain/money_*.py",
            "services/gateway/routes/money.py",
            "services/gateway/routes/escrow.py",
        ),
    ),
    Rule(command_line_uses_our_words, ("deploy/cli/*.py",)),
)
