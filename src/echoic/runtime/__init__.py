"""Running what was learned: step graphs with explicit state, weights and their cards."""

from echoic.runtime.graphs import GraphState, StepGraph
from echoic.runtime.models import Card, find_model, list_models

__all__ = ["Card", "GraphState", "StepGraph", "find_model", "list_models"]
