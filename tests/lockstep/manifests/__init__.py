"""From a folder in git to the objects of one site."""
