"""Checks, held against folders of cases."""
