"""Channels to people and their programs."""
