"""How the tables came to be, revision by revision; ``lockstep.store.migrate`` runs them.

Before the first release there is one revision: whoever changes a table edits it in the same commit.
"""
