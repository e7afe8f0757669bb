"""Pipelines: documents, order, runs, steps, triggers."""
