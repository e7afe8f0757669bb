"""Runs Tekton documents: from a push to the objects at every site.

It receives events and Tekton's own documents; it hands on runs, each task a durable step. It never mirrors
by itself (that is ``sync``) and never judges what differs (that is ``drift``).
"""
