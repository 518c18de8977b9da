"""The 3-D Secure page: two buttons, then back to where the person came from.

Owns what a browser sees of the stand-in. The page's address carries a random key, as a bank's
would, so it needs no sign-in. It cannot imitate a bank's own frame or timing.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from deploy.local.stripe_standin.store import Facts

ZERO_DECIMAL = frozenset(("jpy", "krw", "vnd", "clp", "isk"))

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Card authentication (test)</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 Inter, system-ui, sans-serif; background: #FAFAF8; color: #2D2D2D;
  display: grid; place-items: center; min-height: 100vh; margin: 0; }}
main {{ max-width: 26rem; padding: 2rem; background: #fff; border: 1px solid #D4CFC7; }}
h1 {{ font: 700 1.25rem/1.3 "Libre Baskerville", Georgia, serif; color: #1B4D3E; margin-top: 0; }}
button {{ font: inherit; padding: .6rem 1rem; margin: .5rem .5rem 0 0; cursor: pointer;
  border: 1px solid #1B4D3E; background: #1B4D3E; color: #fff; }}
button.no {{ background: #fff; color: #8B3A3A; border-color: #8B3A3A; }}
</style></head><body><main>{content}</main></body></html>
"""


def _amount(payment: Facts) -> str:
    currency = payment["currency"]
    minor = payment["amount"]
    if currency in ZERO_DECIMAL:
        return f"{minor} {currency.upper()}"
    return f"{minor // 100}.{minor % 100:02d} {currency.upper()}"


def authentication_page(payment: Facts) -> str:
    """The question, or the statement that nothing waits for an answer."""
    if payment["status"] != "requires_action":
        return _PAGE.format(
            content="<h1>Nothing to authenticate</h1><p>This payment no longer waits for you. "
            "Close this page and look at your commitment.</p>"
        )
    action = escape(f"/authenticate/{payment['id']}/{payment['_page_key']}")
    return _PAGE.format(
        content="<h1>Card authentication (test)</h1>"
        f"<p>Your bank asks whether you are paying <strong>{escape(_amount(payment))}</strong>. "
        "This is test money; no bank is asked.</p>"
        f'<form method="post" action="{action}">'
        '<button name="outcome" value="succeed">Complete authentication</button>'
        '<button class="no" name="outcome" value="fail">Fail authentication</button></form>'
    )


def return_address(payment: Facts) -> str:
    """``return_url`` with what Stripe adds to it."""
    parts = urlsplit(payment["_return_url"] or "")
    added = urlencode(
        {
            "payment_intent": payment["id"],
            "payment_intent_client_secret": payment["client_secret"],
            "redirect_status": "succeeded" if payment["status"] == "succeeded" else "failed",
        }
    )
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
