"""The tables of the notifications service, its facts of other services, and its vault for contact data."""
