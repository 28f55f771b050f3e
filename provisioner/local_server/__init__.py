"""A nats-server process on this machine that outlives the run that started it."""
