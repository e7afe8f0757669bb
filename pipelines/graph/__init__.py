"""The order of a run's tasks as a pure function: a plan and how things stand in, what to do next out.

It knows nothing of databases, processes and clocks; time comes in as what has elapsed.
"""

from pipelines.graph.decide import decide
from pipelines.graph.edges import GraphError, in_order, parents, result_refs
from pipelines.graph.matrix import MOST_COMBINATIONS, combinations, most_combinations
from pipelines.graph.model import Child, Condition, Decision, Facts, Node, Plan, Skip, Skipped, Start

__all__ = [
    "MOST_COMBINATIONS",
    "Child",
    "Condition",
    "Decision",
    "Facts",
    "GraphError",
    "Node",
    "Plan",
    "Skip",
    "Skipped",
    "Start",
    "combinations",
    "decide",
    "in_order",
    "most_combinations",
    "parents",
    "result_refs",
]
