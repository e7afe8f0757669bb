"""Runs a task's steps on this machine, one after another, each as its own user and in its own file system.

It receives an order (what to run, fixed when the task was started) and a record of the steps that have ended; it
hands on how the task ended. It has no container runtime: an ``image`` is written down, and the step runs with
the programs of this machine. It knows neither runs nor their order, and touches no table.
"""
