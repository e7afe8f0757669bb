"""Healing: a standby is made again as git says it, when somebody asks, or by itself where the application says so.

It receives findings and what was healed before, and hands on a run of the task ``Deploy`` that takes nothing but
these objects. It never writes to a site that is the truth, in no stance but ``normal``, over no hot fix, while
nobody sees the primary, and it deletes nothing.
"""
