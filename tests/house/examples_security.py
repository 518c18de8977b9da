"""For each rule about security what breaks it and what keeps it."""

from tests.house.repository import Example, Snippet


def _service(*texts: str) -> tuple[Snippet, ...]:
    return tuple(("services/gateway/usecases/act.py", text) for text in texts)


def _page(*texts: str) -> tuple[Snippet, ...]:
    return tuple(("services/gateway/web/src/shared/Words.tsx", text) for text in texts)


EXAMPLES = (
    Example(
        "services_run_no_text_and_no_programs",
        bad=_service(
            "x = eval(text)",
            "exec(text)",
            "import pickle",
            "from subprocess import run",
            "import xml.etree.ElementTree as tree",
            "from yaml import load",
            "import os\nos.system(text)",
            "import os\nos.execv(path, words)",
            "from asyncio import create_subprocess_exec as start\nx = start(text)",
        ),
        good=_service("import json\nx = json.loads(text)", "x = model.evaluate(text)", "import re\nre.compile(text)")
        + (("deploy/local/part.py", "import subprocess"),),
    ),
    Example(
        "hashes_and_ciphers_are_strong",
        bad=_service(
            "import hashlib\nx = hashlib.md5(text)",
            "from hashlib import sha1 as digest\nx = digest(text)",
            "import hashlib\nx = hashlib.new(name, text)",
            "from cryptography.hazmat.primitives.ciphers.modes import ECB\nx = ECB()",
            "from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15\nx = PKCS1v15()",
        ),
        good=_service("import hashlib\nx = hashlib.sha256(text)", "sha1 = 4\nx = sha1"),
    ),
    Example(
        "chance_comes_from_the_system",
        bad=_service("import random", "from random import choice"),
        good=_service("import secrets") + (("services/kit/database.py", "import random"),),
    ),
    Example(
        "pages_write_text_and_no_markup",
        bad=_page(
            "<p dangerously" + "SetInnerHTML={{ __html: words }} />",
            "element.innerHTML = words;",
            "document.write(words);",
            "const x = eval(words);",
            'const link = "javascript:" + words;',
        ),
        good=_page("<p>{words}</p>", "element.textContent = words;", "const x = evaluate(words);"),
    ),
    Example(
        "pages_keep_acts_alone",
        bad=_page(
            "localStorage.setItem(a, b);", "window.sessionStorage.a = b;", "document.cookie = a;", "indexedDB.open(a)"
        ),
        good=_page("keep(a, b);")
        + (
            ("services/gateway/web/src/api/keys.ts", "sessionStorage.setItem(a, b);"),
            ("services/gateway/web/src/testing/setup.ts", "sessionStorage.clear();"),
        ),
    ),
)
