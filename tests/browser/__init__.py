"""The web application in a real browser, on a running stack."""
