"""What a replay cannot go on after, said in one sentence for the person at the keyboard."""

from deploy.local.errors import StackError


class ReplayError(StackError):
    """The file is not such a file, or the platform did not do its part in time."""
