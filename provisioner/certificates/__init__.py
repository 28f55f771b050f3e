"""A development authority for the stack's own servers, and what a certificate in files is good for."""
