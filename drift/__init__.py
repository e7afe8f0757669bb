"""Compares git, the primary and the standby, and says what differs.

It receives renderings and live objects; it hands on verdicts and findings. It never writes to a site, and
what it could not read is Unknown, never equal.
"""
