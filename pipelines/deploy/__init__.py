"""From what a site is to have to what it has: order, plan, apply.

It receives a site's desired objects and its cluster; it hands on a plan that a person can read and approve, and
a report of what was done. What must be done is decided purely; acting is a thin shell around it. It never
deletes what another application has, and never overwrites a hot fix without being told to.
"""
