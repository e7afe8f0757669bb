"""What Lockstep remembers: deliveries, runs, mirrors, deployments, findings, stances.

It receives values and hands them back after a crash; each module owns its tables, each function takes the
connection of the caller's transaction, so that what belongs together is written together. It decides nothing.
"""
