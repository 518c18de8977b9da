"""The tables of the suppliers service and how one transaction reads them."""
