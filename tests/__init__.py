"""Unit tests do no I/O, integration tests run a real nats-server, e2e tests the real engine."""
