"""The built-in tasks between a push and the objects at every site."""
