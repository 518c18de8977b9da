"""Settings of the notifications service: its keys, the mail server, and what the mails say about where they come from.

`MailSettings` is what the handlers need; the kit's part is needed by a running service only. It cannot tell whether the
mail server delivers; a mail that nobody accepts ends as bounced, with a case.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.settings import KitSettings, Profile

KEY_BYTES = 32


class MailSettings(BaseSettings):
    """Keys are base64 of 32 bytes. Times are seconds of wall time."""

    model_config = SettingsConfigDict(env_prefix="ALPMERA_", extra="ignore", frozen=True)

    profile: Profile = "local"
    master_key: SecretStr
    """Encrypts contact data in this service's own table."""
    people_key_notifications: SecretStr
    """Opens contact data that the gateway sealed for this service."""
    public_url: str | None = None
    """Address of the site, for the link in a mail; without it there is none."""
    mail_from: str = "Alpmera <no-reply@alpmera.test>"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=1025, ge=1, le=65_535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_timeout_seconds: float = Field(default=20, gt=0, le=60)

    @model_validator(mode="after")
    def _keys_have_their_size(self) -> Self:
        for key in (self.master_key, self.people_key_notifications):
            if len(base64.b64decode(key.get_secret_value())) != KEY_BYTES:
                raise ValueError(f"a key has {KEY_BYTES} bytes, base64")
        return self

    @model_validator(mode="after")
    def _production_encrypts(self) -> Self:
        if self.profile == "production" and self.smtp_security == "none":
            raise ValueError("ALPMERA_SMTP_SECURITY must be 'starttls' or 'tls' in production")
        return self

    @property
    def test_money(self) -> bool:
        """Whether the mails say that the money is test money."""
        return self.profile != "production"

    def master_key_bytes(self) -> bytes:
        """The key of the vault."""
        return base64.b64decode(self.master_key.get_secret_value())


class NotificationsSettings(KitSettings):
    """What the kit needs to run this service."""


@lru_cache(maxsize=1)
def mail_settings() -> MailSettings:
    """The settings of this process, read once from the environment."""
    return MailSettings()
