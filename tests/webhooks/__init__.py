"""Tests of the package that receives."""
