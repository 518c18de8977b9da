"""Record a supplier with its verified payout account.

Repeating it with the same facts tells the event again and changes nothing. Other facts for a known supplier are refused:
a tier is raised by two people and a payout account is changed with a waiting time, neither of which this act has.
"""

from __future__ import annotations

from contracts.errors import Rejected
from contracts.suppliers import RegisterSupplier, SupplierRegistered
from services.kit.work import Work
from services.suppliers.domain.roles import REGISTRAR_ROLES, require_role
from services.suppliers.store.records import records
from services.suppliers.store.tables import Supplier


async def register_supplier(work: Work, command: RegisterSupplier) -> None:
    """Record the supplier. Refuses `not_allowed`: another role, or other facts for a known supplier."""
    require_role(work.actor, REGISTRAR_ROLES)
    facts = command.model_dump()
    known = (await records(work).suppliers((command.supplier_id,))).get(command.supplier_id)
    if known is not None:
        changed = sorted(name for name, value in facts.items() if getattr(known, name) != value)
        if changed:
            raise Rejected("not_allowed", supplier_known=True, changed=changed)
    else:
        records(work).add_supplier(Supplier(**facts, registered_at=work.now))
        work.audit(
            "supplier.registered",
            scope=command.scope,
            subject=str(command.supplier_id),
            before=None,
            after={"tier": command.tier, "payout_account_id": command.payout_account_id},
        )
    work.publish(SupplierRegistered(**facts))
