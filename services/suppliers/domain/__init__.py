"""Rules of suppliers, as functions over values: no database, no broker, no clock of their own."""
