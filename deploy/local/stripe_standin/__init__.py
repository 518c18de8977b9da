"""A small server that speaks Stripe's API for what Alpmera uses, with real state behind it.

It exists because the public stand-ins keep no state or know neither transfers nor idempotency
keys. It cannot prove that Stripe itself behaves so; only runs against Stripe's test mode can.
"""
