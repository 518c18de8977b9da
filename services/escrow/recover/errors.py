"""Why a recovery stops, each with a stable code. Nothing is lost by a stop: what is done stays done, and it can be run again."""

from __future__ import annotations


class RecoverError(Exception):
    """A recovery, or the start of the service, that cannot go on. `code` is stable; the text is for people."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
