"""The shared ground."""
