"""The report of a preflight as one document: what is stored, shown in every form, signed by people, and verified.

It receives facts and results and hands on JSON that needs nothing else. What it says is final: faces translate and
lay out, they decide nothing. No value of a Secret reaches it.
"""
