"""The documents, and what generates those that are generated."""
