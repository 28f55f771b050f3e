"""The JetStream API of a NATS server: one connection, requests with a timeout, and its JSON."""
