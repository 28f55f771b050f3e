"""nats-server's rules for streams: what it accepts, rewrites and refuses. Pure."""
