"""A real browser on a running stack: runs a journey and judges every page that it looked at.

A journey is a script in `journeys/`; `driver.mjs` runs it and tells what was seen. What holds for every page is judged
here, so that no journey can forget it: no breach of the content policy, no script error, no finding of axe, nothing
wider than a narrow screen, no word that Alpmera does not use, nothing loaded from elsewhere. It cannot judge whether a
page is pleasant to look at.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from contracts.language import find_violations_in_html

DRIVER = Path(__file__).with_name("driver.mjs")
JOURNEY_TIMEOUT_SECONDS = 240


class Site:
    """The site of a running stack, seen through a browser."""

    def __init__(self, base: str, *, card_origin: str) -> None:
        self.base = base
        self._origins = {base, card_origin}

    async def run(self, journey: str, **facts: Any) -> dict[str, Any]:
        """Run a journey and return its result. Fails the test on what no page may show."""
        node = shutil.which("node")
        assert node is not None, "the browser tests need Node"
        finished = await asyncio.to_thread(
            subprocess.run,
            [node, str(DRIVER), journey],
            input=json.dumps({"base": self.base, **facts}),
            capture_output=True,
            text=True,
            timeout=JOURNEY_TIMEOUT_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, f"{journey}: {finished.stderr[-4000:]}"
        seen = json.loads(finished.stdout)
        found = self.judge(seen)
        assert not found, f"{journey}:\n" + "\n".join(found)
        return dict(seen["result"] or {})

    def judge(self, seen: dict[str, Any]) -> list[str]:
        """What is wrong with the pages that a journey looked at."""
        found = [f"content policy: {each}" for each in seen["policy"]]
        found += [f"script error: {each}" for each in seen["errors"]]
        foreign = set(seen["origins"]) - self._origins - {"null"}
        found += [f"loaded from elsewhere: {each}" for each in sorted(foreign)]
        for page in seen["pages"]:
            found += [f"{page['name']}: {each}" for each in page["findings"]]
            if page["beyond"] > 0:
                found.append(f"{page['name']}: {page['beyond']} pixels wider than a narrow screen")
            words = find_violations_in_html(page["html"])
            found += [f"{page['name']}: says {each.term!r}; instead: {each.suggestion}" for each in words]
        return found
