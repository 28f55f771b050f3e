"""The five services of the prediction system, each some 30 lines of nats-py."""
