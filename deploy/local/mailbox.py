"""The development mailbox: an SMTP server that delivers nowhere, and a page that shows the mails.

Owns the command of `sendria`. It accepts every mail, so it cannot show what a real mail server
would refuse.
"""

import sys
from pathlib import Path

from deploy.local.http_probe import answers_ok
from deploy.local.part import Launch
from deploy.local.ports import LOOPBACK, answers


class Mailbox:
    """The mailbox of one stack, its mails in one file under `folder`."""

    name = "mailbox"
    ready_seconds_max = 60.0
    stop_seconds_max = 5.0

    def __init__(self, folder: Path, *, smtp_port: int, page_port: int) -> None:
        """Take the folder for the mails and the two ports."""
        self.folder = folder
        self.smtp_port = smtp_port
        self.page_port = page_port

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://{LOOPBACK}:{self.page_port}"

    @property
    def smtp(self) -> str:
        """Return the address mails are sent to, as host and port."""
        return f"{LOOPBACK}:{self.smtp_port}"

    def prepare(self) -> Launch:
        """Make the folder and return the command."""
        self.folder.mkdir(parents=True, exist_ok=True)
        program = str(Path(sys.executable).with_name("sendria"))
        return Launch(
            command=[sys.executable, program, "--foreground", "--no-quit"]
            + ["--db", str(self.folder / "mails.sqlite")]
            + ["--smtp-ip", LOOPBACK, "--smtp-port", str(self.smtp_port)]
            + ["--http-ip", LOOPBACK, "--http-port", str(self.page_port)],
        )

    def is_ready(self) -> bool:
        """Return whether both the page and the mail port answer."""
        return answers(self.smtp_port) and answers_ok(f"{self.url}/api/messages/")
