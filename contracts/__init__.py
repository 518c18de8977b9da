"""The shared meaning between the services: messages, envelope, money, error codes, topics. Pydantic and the standard library only."""
