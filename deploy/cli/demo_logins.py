"""The demo people that a local stack knows, for the lines printed after the start.

Owns the list as it is shown. The gateway's local sign-in has the same names; a name that it does
not know would be refused there, not here.
"""

DEMO_LOGINS = (
    ("maya@demo.test", "participant"),
    ("theo@demo.test", "participant, new"),
    ("dock@emeraldsupply.test", "supplier"),
    ("ana@alpmera.test", "operator"),
    ("ben@alpmera.test", "second approver"),
    ("ops@alpmera.test", "operations"),
)
