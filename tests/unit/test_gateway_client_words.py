"""How a session's program is called."""

from __future__ import annotations

import pytest

from services.gateway.domain.client_words import client_words

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (CHROME, "Chrome on Linux"),
        (CHROME + " Edg/142.0.0.0", "Edge on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iOS"),
        ("python-httpx/0.28.1", "another program"),
        (None, "another program"),
    ],
)
def test_a_program_is_named_coarsely(user_agent: str | None, words: str) -> None:
    assert client_words(user_agent) == words
