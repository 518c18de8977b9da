"""The bodies of requests about addresses and the kind of an account: exact fields, letters that a label can carry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from services.gateway.domain.account_kinds import AccountKind
from services.gateway.schemas.bodies import Body

LINES_MAX = 3

_LETTERS = r"!-~\u00A1-\u00AC\u00AE-\u024F\u2010-\u2015\u2018\u2019\u201C\u201D"
PLAIN = rf"^[{_LETTERS}](?:[ {_LETTERS}]*[{_LETTERS}])?$"
"""Latin letters, digits and punctuation with blanks between them. What a carrier's label cannot show, what is not shown
at all, and what turns the direction of writing is left out: nobody makes a line read differently from what it holds."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=PLAIN)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PLAIN)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PLAIN)]
City = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=PLAIN)]
State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
PostalCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}(?:-[0-9]{4})?$")]


class AddressBody(Body):
    """An address in the United States. `label` is for its person alone; `default` makes it the one that joining proposes,
    and a first address is that in any case."""

    label: Label = Field(repr=False)
    recipient: Name = Field(repr=False)
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=LINES_MAX, repr=False)]
    city: City = Field(repr=False)
    region: State = Field(repr=False)
    postal_code: PostalCode = Field(repr=False)
    country: Literal["US"] = "US"
    default: Annotated[bool, Field(strict=True)] = False


class ChosenKind(Body):
    """What kind of account it is. A group and an organisation have a name, a person has none here."""

    kind: AccountKind = "person"
    display_name: Name | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _name_fits(self) -> ChosenKind:
        if (self.kind == "person") is not (self.display_name is None):
            raise ValueError("a group and an organisation have a display_name, a person has none")
        return self


class AccountKindBody(ChosenKind):
    """The kind of one's account."""
