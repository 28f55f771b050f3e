"""The Pulumi engine: found, installed or built from its Go modules."""
