"""Pulumi's dynamic providers: its calls and nothing else. The only package that imports pulumi."""
