"""Generating the committed files of `contracts/`: schemas, the catalogue of messages, the interface description."""
