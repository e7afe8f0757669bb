"""``lockstep validate`` and ``lockstep schema``: the configuration, without touching a site."""

from __future__ import annotations
