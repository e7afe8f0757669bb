"""The configuration: read whole or not at all, checked before anything acts on it.

It receives a directory of YAML documents; it hands on one frozen ``Topology``. It refuses every unknown
field, dangling name and secret in clear, all at once, each with file, line and remedy; it touches no site.
"""
