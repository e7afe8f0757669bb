"""The door to real clusters."""
