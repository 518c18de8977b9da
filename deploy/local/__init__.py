"""The local stack: the real broker, database, trace viewer, mailbox and services on one machine."""
