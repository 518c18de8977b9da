"""The language guard: finds words that Alpmera does not use and offers the words it does.

It owns the reading of `language_rules.json`, the one rule file behind the build check, the guard on
what staff and suppliers type, and the guard on mails. The canon page `docs/canon/language-rules.md`
says why each word is there. Everything works on whole words in any letter case, so that a name in
code (`sort_order`, `OrderedDict`) or a longer word ("border", "orderly") never matches.

What it cannot catch: a forbidden idea in allowed words, a word spelt with look-alike letters of
another alphabet, text inside pictures. A trust reviewer still reads what people will read.
"""

import functools
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

RULES_PATH = Path(__file__).with_name("language_rules.json")

QUOTATION_START = "<!-- language:quotation -->"
QUOTATION_END = "<!-- /language:quotation -->"

LEAVE_OUT = "leave it out"

_SUGGEST_ROUNDS_MAX = 5

# What is masked becomes NUL: it is neither a letter nor white space, so a phrase cannot be formed
# across it and every position stays what it was.
_MASK = "\0"

# Characters that a reader does not see; written inside a word they would hide it from the guard.
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")

_WORD = re.compile(r"\w+")
_GAP = r"[\s\-\u2010-\u2015]+"
_COUNT = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|a\s+few|few|a\s+couple(?:\s+of)?)"
    rf"(?:{_GAP}\w+){{0,2}}?"
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One forbidden term as it stands in a text.

    `term` is the text as written, `start` and `end` its positions in the text that was given,
    `suggestion` the wording to use instead (or that the word is better left out), `rule` the
    identifier of the rule in the rule file.
    """

    term: str
    start: int
    end: int
    suggestion: str
    rule: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One form of a rule, ready to be matched at a given position of folded text.

    `rule` is None for an exception: a phrase that is allowed although it holds a forbidden word.
    """

    pattern: re.Pattern[str]
    replacement: str
    rule: str | None


def find_violations(text: str, *, exempt_names: Sequence[str] = ()) -> list[Violation]:
    """Return the forbidden terms of a plain text, in the sequence in which they stand there.

    `exempt_names` are proper names that may stand as their bearer writes them: a supplier's legal
    name, a product's name, the name of a third party. They are compared exactly.
    """
    return list(_violations(_without_names(text, exempt_names)))


def suggest(text: str) -> str:
    """Return the text with each forbidden term replaced by its suggestion, or left out.

    The result holds no forbidden term. It is an offer to a person who writes, not a finished
    sentence: grammar around a replaced word may need a hand.
    """
    # What is left out can bring two words together that make another forbidden phrase.
    for _ in range(_SUGGEST_ROUNDS_MAX):
        offer = _suggest_once(text)
        if offer == text:
            break
        text = offer
    return text


def _suggest_once(text: str) -> str:
    phrases = _replacements()
    pieces: list[str] = []
    at = 0
    for violation in _violations(text):
        before = text[at : violation.start]
        replacement = phrases[violation.rule, _form_of(violation)]
        at = violation.end
        if replacement:
            pieces.append(_with_article(before, replacement))
            pieces.append(_in_case_of(violation.term, replacement))
        else:
            at += len(text[at:]) - len(text[at:].lstrip(" "))
            pieces.append(_with_article(before, text[at : at + 1]))
    pieces.append(text[at:])
    return "".join(pieces)


def find_violations_in_markdown(text: str) -> list[Violation]:
    """Return the forbidden terms of a Markdown document, with positions in that document.

    Not read: code blocks and code spans, addresses, comments, and what stands between the
    quotation marks (`QUOTATION_START`, `QUOTATION_END`) that only the canon's rule page uses.
    """
    return list(_violations(markdown_text(text)))


def find_violations_in_html(html: str) -> list[Violation]:
    """Return the forbidden terms a person can meet in a page, with positions in `visible_text`."""
    return list(_violations(visible_text(html)))


def find_violations_in_template(text: str) -> list[Violation]:
    """Return the forbidden terms of a message or mail template, with positions in the template.

    Placeholders (`{{ name }}`, `{% … %}`, `{name}`) are code and are not read; what they are
    filled with is checked when the message is rendered.
    """
    return list(_violations(template_text(text)))


def markdown_text(text: str) -> str:
    """Return a Markdown document of unchanged length whose exempt parts are masked.

    An opening quotation mark without its closing mark exempts nothing.
    """
    text = _mask(_QUOTATION, text)
    text = _mask(_FENCE, text)
    text = _mask(_COMMENT, text)
    text = _mask(_CODE_SPAN, text)
    text = _mask(_LINK_TARGET, text)
    text = _mask(_REFERENCE_TARGET, text)
    return _mask(_ADDRESS, text)


def template_text(text: str) -> str:
    """Return a template of unchanged length whose placeholders are masked."""
    return _mask(_PLACEHOLDER, text)


def visible_text(html: str) -> str:
    """Return what a person can see or hear of a page, elements separated by a NUL.

    Text, alternative texts, titles, labels, placeholders, captions of buttons and descriptions
    are included; scripts, styles and code are not.
    """
    reader = _VisibleText()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces)


_QUOTATION = re.compile(re.escape(QUOTATION_START) + r".*?" + re.escape(QUOTATION_END), re.DOTALL)
_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^\n]*\n.*?^[ \t>]*\1[`~]*[ \t]*$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
_LINK_TARGET = re.compile(r"(?<=\]\()[^)\s]*")
_REFERENCE_TARGET = re.compile(r"(?m)(?<=\]: )\S+$")
_ADDRESS = re.compile(r"https?://[^\s)>\]]+")
_PLACEHOLDER = re.compile(r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}|\{#.{0,500}?#\}|\$?\{[A-Za-z_][\w.]*\}", re.DOTALL)


def _mask(pattern: re.Pattern[str], text: str) -> str:
    """Replace each match by masks of equal length; line ends stay, so line numbers do too."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", _MASK, match[0]), text)


def _without_names(text: str, names: Sequence[str]) -> str:
    for name in names:
        if name.strip():
            text = _mask(re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)"), text)
    return text


def _violations(text: str) -> Iterator[Violation]:
    """Walk over the words once; only a word that begins some form costs more than a look-up."""
    folded, positions = _fold(text)
    starts = _phrases_by_first_word()
    after = 0
    for word in _WORD.finditer(folded):
        if word.start() < after:
            continue
        for phrase in starts.get(word[0], ()):
            match = phrase.pattern.match(folded, word.start())
            if match is None:
                continue
            after = match.end()
            if phrase.rule is not None:
                start = positions[match.start()] if positions else match.start()
                end = positions[match.end() - 1] + 1 if positions else match.end()
                suggestion = phrase.replacement or LEAVE_OUT
                yield Violation(text[start:end], start, end, suggestion, phrase.rule)
            break


def _fold(text: str) -> tuple[str, list[int] | None]:
    """Return the text in lower case and plain letters, and where each character came from.

    Positions are None when they are unchanged, which is the case for all ASCII texts.
    """
    if text.isascii():
        return text.lower(), None
    letters: list[str] = []
    positions: list[int] = []
    for position, character in enumerate(text):
        if character in _INVISIBLE:
            continue
        plain = "'" if character in "’ʼ" else unicodedata.normalize("NFKC", character).lower()
        letters.append(plain)
        positions.extend([position] * len(plain))
    return "".join(letters), positions


@functools.cache
def _rule_file() -> dict[str, Any]:
    rules: dict[str, Any] = json.loads(RULES_PATH.read_text(encoding="utf-8"))
    return rules


@functools.cache
def _phrases_by_first_word() -> dict[str, tuple[_Phrase, ...]]:
    """Return all forms by their first word, longest first, so that a phrase wins over a word."""
    found: dict[str, list[tuple[int, _Phrase]]] = {}

    def add(form: str, replacement: str, rule: str | None) -> None:
        first = _WORD.match(form)
        if first is None:
            raise ValueError(f"the form {form!r} of the language rules begins with no word")
        phrase = _Phrase(_pattern(form), replacement, rule)
        found.setdefault(first[0], []).append((len(form.split()), phrase))

    for exception in _rule_file()["exceptions"]:
        add(exception["phrase"], "", None)
    for rule in _rule_file()["rules"]:
        for form, replacement in rule["forms"].items():
            add(form, replacement, rule["id"])
    return {
        word: tuple(phrase for _, phrase in sorted(group, key=lambda item: -item[0])) for word, group in found.items()
    }


@functools.cache
def _replacements() -> dict[tuple[str, str], str]:
    return {
        (rule["id"], form): replacement for rule in _rule_file()["rules"] for form, replacement in rule["forms"].items()
    }


def _pattern(form: str) -> re.Pattern[str]:
    words = [_COUNT if word == "{count}" else re.escape(word) for word in form.split()]
    return re.compile(_GAP.join(words) + r"(?!\w)")


def _form_of(violation: Violation) -> str:
    """Return the form in the rule file that a violation was found by."""
    folded, _ = _fold(violation.term)
    first = _WORD.match(folded)
    for form_rule, form in _replacements() if first else ():
        if form_rule == violation.rule and _pattern(form).fullmatch(folded):
            return form
    raise LookupError(f"no form of rule {violation.rule} matches {violation.term!r}")


def _in_case_of(term: str, replacement: str) -> str:
    if len(term) > 1 and term.isupper():
        return replacement.upper()
    return replacement[0].upper() + replacement[1:] if term[0].isupper() else replacement


def _with_article(before: str, following: str) -> str:
    """Return what stands before a changed place with "a" or "an" as what follows needs it."""
    match = re.search(r"\b(an?)\s+$", before, re.IGNORECASE)
    if match is None or not following:
        return before
    article = "an" if following[0].lower() in "aeiou" else "a"
    if match[1][0].isupper():
        article = article.capitalize()
    return before[: match.start(1)] + article + before[match.end(1) :]


class _VisibleText(HTMLParser):
    """Collects what a person can read of a page.

    Only pure formatting joins what it encloses to its surroundings: "<b>to</b>day" is one word,
    while two table cells are two.
    """

    _FORMATTING = frozenset(("b", "i", "em", "strong", "u", "s", "mark", "small", "sup", "sub", "font", "wbr"))
    _UNREAD = frozenset(("script", "style", "code", "pre", "kbd", "samp"))
    _SPOKEN = ("alt", "title", "placeholder", "aria-label", "aria-description", "label")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._UNREAD:
            self._unread.append(tag)
        self._separate(tag)
        for text in self._texts(tag, dict(attrs)):
            self.pieces += [_MASK, text, _MASK]

    def handle_endtag(self, tag: str) -> None:
        if self._unread and self._unread[-1] == tag:
            self._unread.pop()
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.pieces.append(data)

    def _separate(self, tag: str) -> None:
        if tag not in self._FORMATTING:
            self.pieces.append(" " if tag == "br" else _MASK)

    def _texts(self, tag: str, attributes: dict[str, str | None]) -> Iterator[str]:
        spoken = [attributes.get(name) for name in self._SPOKEN]
        if tag == "input" and attributes.get("type") in {"button", "submit", "reset"}:
            spoken.append(attributes.get("value"))
        if tag == "meta" and (attributes.get("name") or attributes.get("property")):
            spoken.append(attributes.get("content"))
        yield from (text for text in spoken if text)
