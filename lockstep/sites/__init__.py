"""The doors to the outside: git, registries, clusters and their on-disk twins.

It receives a site's configuration; it hands on ends that read and write, each behind one small protocol.
Each outside client (git, kubernetes, httpx) is imported in the one module that owns it. An end never decides
whether it should be written to: that is the caller's stance and plan.
"""
