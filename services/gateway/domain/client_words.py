"""By which program somebody is signed in, in two coarse words: enough to recognise one's own, too little to tell people
apart."""

from __future__ import annotations

OTHER = "another program"

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def client_words(user_agent: str | None) -> str:
    """Such as "Firefox on Linux"."""
    given = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in given), None)
    system = next((name for mark, name in _SYSTEMS if mark in given), None)
    if browser is None:
        return OTHER
    return f"{browser} on {system}" if system is not None else browser
