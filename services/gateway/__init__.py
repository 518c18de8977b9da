"""The gateway: the only door for people and for other companies' machines; see README.md."""
