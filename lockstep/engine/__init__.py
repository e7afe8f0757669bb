"""Durable work: a queue of jobs in rows and transactions, its workers and its schedule.

It receives jobs and runs their handlers at least once; what a handler decides is written in the transaction
that ends its job, exactly once. Nobody else touches its tables.
"""
