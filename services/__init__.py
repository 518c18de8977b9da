"""The services of the platform. They meet only on Kafka and share only `contracts` and `kit`."""
