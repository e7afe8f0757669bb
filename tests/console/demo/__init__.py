"""The demo's own parts; the walk itself is in ``tests/walk``."""
