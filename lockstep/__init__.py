"""The shared ground: what every other package stands on.

It receives configuration, bytes and time; it hands on values, sites, a store and an engine that loses
nothing. It decides nothing about mirroring, orchestration, comparison or verdicts, and it imports none of
the packages that do.
"""

__version__ = "0.1.0"
