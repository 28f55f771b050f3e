"""Bringing a server's streams to what is wanted: the preflight of a plan, and carrying it out."""
