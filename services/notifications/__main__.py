"""Run the notifications service: `python -m services.notifications`."""

from __future__ import annotations

from services.kit.runtime import run
from services.notifications.handlers import SERVICE
from services.notifications.settings import NotificationsSettings, mail_settings

if __name__ == "__main__":
    # Read here, so that a missing key is said at the start and not at the first mail.
    mail_settings()
    run(SERVICE, NotificationsSettings())
