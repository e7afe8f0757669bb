"""Receives what forges and registries post.

It receives raw bytes from strangers; it hands on a stored delivery and the events that it means. It acts on
nothing, fetches no URL that a payload names, and imports the shared ground only.
"""
