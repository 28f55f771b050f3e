"""The catalogue's streams compared with the server's, and the server's health: collect, check, report, render."""
