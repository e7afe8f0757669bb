"""Large files of git LFS: found in our copy, read at the source, written to a site, each verified by its id.

It receives the commits that are mirrored; it hands on which large files they reach, and the two ends at which these
are: a folder beside a repository on disk, or a server's Batch API. It speaks that protocol itself: git-lfs is not
needed, and nothing that a repository says (``.lfsconfig``) takes part.
"""
