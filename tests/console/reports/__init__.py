"""Tests of the faces of reports."""
