"""Tests of each sender."""
