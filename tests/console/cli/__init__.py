"""The command line, as a person at a terminal and as a program sees it."""
