"""Where campaigns deliver to: the Seattle metropolitan area, as a rule about postal codes. The rule stands here alone.

The area is King, Pierce and Snohomish County in Washington. A postal code is an area of delivery rounds and not of land, so
the rule cannot tell the last house before a county's border; it is about codes because nothing else of an address can be
checked without asking somebody else. An address is judged when it is kept: after a change of this list those that are kept
already have to be judged again.
"""

from __future__ import annotations

REGION_NAME = "Seattle metropolitan area"
STATE = "WA"
COUNTRY = "US"

_WHOLE_PREFIXES = ("980", "981", "984")
_OTHER_COUNTY = frozenset({"98061", "98110"})
"""Codes under those prefixes that lie on Bainbridge Island, in Kitsap County."""

_KING_AND_SNOHOMISH = (
    "98201 98203 98204 98205 98206 98207 98208 98213 98223 98224 98241 98251 98252 98256 98258 98259 98270 98271 "
    "98272 98275 98287 98288 98290 98291 98292 98293 98294 98296"
)
_PIERCE = (
    "98303 98304 98321 98323 98327 98328 98329 98330 98332 98333 98335 98338 98344 98348 98349 98351 98352 98354 "
    "98360 98371 98372 98373 98374 98375 98385 98387 98388 98390 98391 98394 98395 98396 98397 98398 98580"
)
_SINGLE_CODES = frozenset((*_KING_AND_SNOHOMISH.split(), *_PIERCE.split()))


def in_delivery_region(*, country: str, region: str, postal_code: str) -> bool:
    """Whether campaigns deliver to an address with these. A code's four further digits do not count."""
    code = postal_code[:5]
    if (country, region) != (COUNTRY, STATE) or code in _OTHER_COUNTY:
        return False
    return code.startswith(_WHOLE_PREFIXES) or code in _SINGLE_CODES
