"""Tests of lockstep.engine."""
