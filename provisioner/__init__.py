"""JetStream streams as managed state; knows nothing of the program that uses it."""
