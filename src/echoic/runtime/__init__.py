"""Run trained networks: graphs with explicit state, weights and their cards."""

from echoic.runtime.graphs import Graph, GraphState
from echoic.runtime.models import Card, find_model, list_models

__all__ = ["Card", "Graph", "GraphState", "find_model", "list_models"]
