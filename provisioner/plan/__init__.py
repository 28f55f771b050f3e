"""What a change takes, what it costs in messages, and which policies decide. Pure."""
