"""From a push to the objects at every site."""
