"""A module for each page: it reads, makes a small view of what it read, and renders a template.

What a page computes it computes in a pure function beside its route. Forms are answered with a redirect, so
that going back or reloading does nothing twice.
"""
