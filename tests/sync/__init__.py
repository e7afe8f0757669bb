"""Mirroring."""
