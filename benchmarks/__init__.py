"""How long the stack takes, beside Pulumi's engine with resources that do nothing and beside plain nats-py."""
