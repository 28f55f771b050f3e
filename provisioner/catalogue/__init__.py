"""The catalogue: YAML text to streams, every problem with its line, and streams back to YAML."""
