"""A Docker engine over its own API: what it has under a stack's name, and whose that is. Knows no stream."""
