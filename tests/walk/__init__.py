"""One push that walks all the way through, with the real service as a process."""
