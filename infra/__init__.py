"""The Pulumi program: settings, a server, the catalogue's streams on it."""
