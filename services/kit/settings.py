"""Settings every service has, from the environment (prefix `ALPMERA_`), checked at start.

A service subclasses `KitSettings` in its own `settings.py`. Secrets are `SecretStr`, so that no representation prints
them. It cannot tell a wrong secret from a right one; the first use does.
"""

from __future__ import annotations

import base64
import os
import socket
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Profile = Literal["local", "test", "production"]


class KitSettings(BaseSettings):
    """What the kit needs. URLs are SQLAlchemy URLs (`postgresql+asyncpg://…`); ports are TCP ports on this host."""

    model_config = SettingsConfigDict(env_prefix="ALPMERA_", extra="ignore", frozen=True)

    profile: Profile = "local"
    database_url: SecretStr
    database_pool_size: int = Field(default=8, ge=2, le=100)
    kafka: str
    kafka_cluster_id: str | None = None
    kafka_prefix: str = ""
    """Put before every topic and group name; tests use it to share one broker."""
    health_port: int | None = None
    traces_url: str | None = None
    """Zipkin's span address, for the local viewer only."""
    otlp_url: str | None = None
    """OTLP/HTTP traces address; everywhere but on a developer's machine."""
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    trace_idle_per_second: float = Field(default=5, ge=0)
    assertion_public_key: str | None = None
    """Base64 of the PEM of the gateway's Ed25519 public key. Without it commands are refused outside tests."""
    instance: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")
    batch_records_max: int = Field(default=500, ge=1, le=2000)

    @model_validator(mode="after")
    def _no_failpoints_in_production(self) -> Self:
        if self.profile == "production" and os.environ.get("ALPMERA_FAILPOINT"):
            raise ValueError("ALPMERA_FAILPOINT must not be set in production")
        if self.profile == "production" and self.assertion_public_key is None:
            raise ValueError("ALPMERA_ASSERTION_PUBLIC_KEY is needed in production")
        return self

    def public_key_pem(self) -> bytes | None:
        """The PEM of the assertion key, or None when commands are not signed (unit tests)."""
        return base64.b64decode(self.assertion_public_key) if self.assertion_public_key else None
