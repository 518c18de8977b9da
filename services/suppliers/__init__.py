"""The suppliers service: suppliers, invitations and their one answer, dispatch and delivery, inspection and its issues."""
