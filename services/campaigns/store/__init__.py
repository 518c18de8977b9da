"""The tables of the campaigns service and every statement on them."""
