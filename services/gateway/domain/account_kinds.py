"""The kinds of accounts: a person, a group such as a family or a hobby group, an organisation.

A kind says who stands behind an account and gives no right. Only a group and an organisation have a name, which is sealed
like everything else about people. Sub-accounts and shares within a group are nothing that this module knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

AccountKind = Literal["person", "group", "organisation"]
ACCOUNT_KINDS: tuple[AccountKind, ...] = get_args(AccountKind)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind with the name that belongs to it, if one does."""

    kind: AccountKind = "person"
    name: str | None = field(default=None, repr=False)


PERSON = Kind()
