"""The message flow between the services: its hops, asked on the real streams, and walked by a message of its own."""
