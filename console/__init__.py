"""The faces of Lockstep: command line, web pages, wiring.

Everything meets here and nothing imports it. Only ``console.cli`` reads the environment.
"""
