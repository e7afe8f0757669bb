"""Tests of the double of the API server, by itself, against recorded answers and against a real server."""
