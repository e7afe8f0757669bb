"""From a folder in git to the objects of one site.

It receives a checked-out folder and a site's facts; it hands on plain objects with images rewritten and
floors applied. It contacts no cluster, fetches nothing from a network, and refuses what would.
"""
