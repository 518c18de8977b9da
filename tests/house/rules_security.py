"""Rules about what code must not do, whoever writes it: run text, start programs, read XML, hash weakly, write markup.

They look for names, so that a function fetched under another name is not seen; the linter's own security checks run
beside them.
"""

import ast
import re
from collections.abc import Iterator

from tests.house.repository import Finding, Rule, Source, line_of
from tests.house.syntax import called_name, dotted, imported_modules, nodes, used_names

RUNNERS = frozenset({"eval", "exec", "compile", "__import__"})
DANGEROUS_MODULES = frozenset(
    {"pickle", "marshal", "shelve", "subprocess", "pty", "xml", "lxml", "defusedxml", "yaml", "code", "codeop"}
)
DANGEROUS_NAMES = frozenset(
    {"os.system", "os.popen", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"}
)
DANGEROUS_PREFIXES = ("os.exec", "os.spawn", "os.posix_spawn")

WEAK_HASHES = frozenset({"md5", "sha1", "SHA1", "MD5", "sha224", "SHA224"})
WEAK_MODES = frozenset({"ECB", "CBC", "CFB", "OFB", "TripleDES", "ARC4", "Blowfish", "PKCS1v15"})
CHANCE_FOR_PAUSES = ("services/kit/database.py",)
"""Where chance spreads repeated attempts over time and protects nothing."""

_MARKUP = re.compile(
    r"\bdangerously" + r"SetInnerHTML\b|\.(?:inner|outer)HTML\b|\binsertAdjacentHTML\b|\bdocument\.write(?:ln)?\b"
    r"|(?<![\w.])eval\(|\bnew Function\(|\bsrcDoc\b|javascript:"
)
_STORAGE = re.compile(r"\b(?:local|session)Storage\b|\bindexedDB\b|\bdocument\.cookie\b|\bcaches\.open\b")
STORAGE_HOMES = ("services/gateway/web/src/api/keys.ts",)


def services_run_no_text_and_no_programs(source: Source) -> Iterator[Finding]:
    """What comes from outside must never become code, a program or an object; where nothing can run text, no check of
    the text has to be right. XML is read nowhere, so that no parser of it can be led astray."""
    for node in nodes(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in RUNNERS:
            yield Finding(source.path, node.lineno, f"{dotted(node.func)} runs text")
        for line, module in imported_modules(node):
            if module.partition(".")[0] in DANGEROUS_MODULES:
                yield Finding(source.path, line, f"{module} is not for services")
    for line, name in used_names(source.tree):
        if name in DANGEROUS_NAMES or name.startswith(DANGEROUS_PREFIXES):
            yield Finding(source.path, line, f"{name} starts a program")


def hashes_and_ciphers_are_strong(source: Source) -> Iterator[Finding]:
    """A weak hash or mode is found by whoever looks for it first. What protects is SHA-256 or BLAKE2, AES-GCM, Ed25519."""
    for line, name in used_names(source.tree):
        last = name.rpartition(".")[2]
        if last in WEAK_MODES or (last in WEAK_HASHES and name.partition(".")[0] in {"hashlib", "cryptography"}):
            yield Finding(source.path, line, f"{name} is too weak")
    for node in nodes(source.tree):
        if isinstance(node, ast.Call) and called_name(node) == "new" and dotted(node.func) == "hashlib.new":
            yield Finding(source.path, node.lineno, "hashlib.new hides which hash it is")


def chance_comes_from_the_system(source: Source) -> Iterator[Finding]:
    """What `random` draws can be computed by whoever has seen enough of it; a token has to come from `secrets`."""
    if source.matches(CHANCE_FOR_PAUSES):
        return
    for node in nodes(source.tree):
        for line, module in imported_modules(node):
            if module.partition(".")[0] == "random":
                yield Finding(source.path, line, "random can be computed; take secrets")


def pages_write_text_and_no_markup(source: Source) -> Iterator[Finding]:
    """Words that somebody typed stay words: React writes them as text, and nothing here goes around it."""
    for match in _MARKUP.finditer(source.text):
        yield Finding(source.path, line_of(source.text, match.start()), f"{match[0]} turns text into markup or code")


def pages_keep_acts_alone(source: Source) -> Iterator[Finding]:
    """What a browser keeps outlives its session and is there for the next person; one module keeps keys of acts, and
    clears them."""
    if source.path in STORAGE_HOMES or ".test." in source.path or "/testing/" in source.path:
        return
    for match in _STORAGE.finditer(source.text):
        yield Finding(source.path, line_of(source.text, match.start()), f"{match[0]} is for the keys of acts")


SERVICES = ("services/*.py", "contracts/*.py")
PAGES = ("services/gateway/web/src/*.ts", "services/gateway/web/src/*.tsx")

RULES = (
    Rule(services_run_no_text_and_no_programs, SERVICES),
    Rule(hashes_and_ciphers_are_strong, SERVICES),
    Rule(chance_comes_from_the_system, SERVICES),
    Rule(pages_write_text_and_no_markup, PAGES),
    Rule(pages_keep_acts_alone, PAGES),
)
