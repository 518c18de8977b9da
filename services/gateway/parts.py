"""The parts of a running gateway, made once in the application's lifespan and handed to every route.

Routes get them from the request; nothing is global, so that two gateways can run in one process (tests do so).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.settings import GatewaySettings

if TYPE_CHECKING:
    from services.gateway.auth.sessions import Sessions
    from services.gateway.site import Site
    from services.gateway.store.read_model import ReadModel
    from services.gateway.usecases.accept_act import ActWriter
    from services.gateway.usecases.ask_proof import Proofs
    from services.gateway.usecases.ask_services import Questions
    from services.gateway.usecases.campaign_visibility import Visibility
    from services.gateway.usecases.check_money import MoneyChecks
    from services.gateway.usecases.erase_people import Erasure
    from services.gateway.usecases.gather_own_data import OwnData
    from services.gateway.usecases.joining_pause import JoiningPause
    from services.gateway.usecases.limit_rates import RateLimits
    from services.gateway.usecases.read_audit import AuditTrail
    from services.gateway.usecases.receive_webhook import WebhookWriter
    from services.gateway.usecases.redirects import Redirects
    from services.gateway.usecases.stream_progress import Progress
    from services.gateway.usecases.watch_outcomes import Outcomes


@dataclass
class Gateway:
    """Everything a route may use."""

    settings: GatewaySettings
    engine: AsyncEngine
    reads: ReadModel
    sessions: Sessions
    acts: ActWriter
    webhooks: WebhookWriter
    outcomes: Outcomes
    redirects: Redirects
    progress: Progress
    questions: Questions
    audit_trail: AuditTrail
    own_data: OwnData
    erasure: Erasure
    proofs: Proofs
    visibility: Visibility
    joining_pause: JoiningPause
    money_checks: MoneyChecks
    site: Site
    limits: RateLimits
    kick_relay: Callable[[], None]
    ready: Callable[[], Any]
    signing_key: Ed25519PrivateKey
    demo_logins: Sequence[dict[str, str]] = field(default_factory=list)


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves a request."""
    gateway: Gateway = request.app.state.gateway
    return gateway
