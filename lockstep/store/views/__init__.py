"""What pages, metrics and the API ask of findings and mirrors: rows read for people, a page at a time.

It receives filters and hands back frozen rows. It writes nothing: each table is written by the module that
owns it. Lists never carry what is large.
"""
