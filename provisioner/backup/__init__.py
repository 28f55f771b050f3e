"""Streams on disk: archives written, verified and restored."""
