"""What must hold between documents, a module for each concern.

Every rule receives a draft and hands on problems. A rule that says something is missing looks first whether
the draft is complete: what could not be read may be what it misses.
"""
