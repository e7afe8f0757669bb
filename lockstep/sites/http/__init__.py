"""HTTP/1.1 to one server and the hosts that it names: what registries, forges and servers of large files share.

It receives requests and where they go; it hands on answers whose bodies are read once and within bounds, and judges
where a server may send us. It never follows a redirect by itself, never sends a credential of its own, and knows
nothing of what is asked.

``httpx`` is imported by ``wire`` and by ``connections``, its transport; what it sends with, ``httpcore``, by
``connections`` alone.
"""
