"""The streams, wanted against live, and the server's health: asked for, judged, shown."""
