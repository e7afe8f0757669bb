"""Mirrors git repositories and container images to every site.

It receives a repository or an image to bring into step; it hands on what it wrote, held or refused, ref by
ref and digest by digest. It never decides what is deployed, and it never writes towards the site that is
now the truth.
"""
