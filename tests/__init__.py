"""The tests, in folders by topic."""
