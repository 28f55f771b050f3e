"""What goes wrong around a stack, made to happen on purpose, and proof that no message was lost by it."""
