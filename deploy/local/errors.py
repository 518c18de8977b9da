"""The one error the local stack raises for people: what went wrong, and the remedy.

Owns `StackError`. It exists so that the command-line tool can print a single sentence instead of
a stack trace. It cannot say anything about errors inside the services; those are in their logs.
"""


class StackError(Exception):
    """The local stack cannot go on; the message is for a person and names the remedy."""
