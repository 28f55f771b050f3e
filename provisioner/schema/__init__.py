"""Every field of a stream's configuration, one row each, and the values they hold."""
