"""Shipped weights and step graphs: complete, small, and refused if corrupted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from echoic.ear.frontend import SPECIFICATION
from echoic.errors import ModelError
from echoic.labels import LABELS
from echoic.processors import Model, load_model
from echoic.runtime import Card, Graph, find_model, list_models, models
from echoic.runtime.models import WEIGHTS, fingerprint, load_card

MAX_PARAMETERS, MAX_BYTES = 4_000_000, 10_000_000
GRAPHS = ("step", "chunk", "detect.step", "separate.chunk")


@pytest.fixture
def copy(tmp_path) -> Path:
    """A folder of one's own with the shipped weights."""
    return Path(shutil.copytree(WEIGHTS, tmp_path / "weights"))


def change(card: Path, **fields: object) -> Path:
    card.write_text(json.dumps(json.loads(card.read_text()) | fields))
    return card


def load_all(card: Card) -> None:
    model = Model(card)
    for want in ("all", "probabilities", "places"):
        model.prepare(want)


def test_every_shipped_model_is_whole():
    names = [card.name for card in list_models()]
    assert "hear" in names
    assert names == sorted(set(names))
    for name in names:
        card = find_model(name)
        for file, wanted in card.graphs.items():
            assert fingerprint((card.folder / file).read_bytes()) == wanted
            if file.endswith(".onnx"):
                kind = file.removeprefix(f"{name}.").removesuffix(".onnx")
                assert card.graph(kind).name == file


def test_nothing_but_cards_and_their_graphs_is_shipped():
    listed = {f"{card.name}.json" for card in list_models()}
    listed |= {file for card in list_models() for file in card.graphs}
    assert {path.name for path in WEIGHTS.iterdir()} == listed


def test_the_card_of_hear_fits_its_users():
    card = find_model("hear")
    assert set(card.labels) <= set(LABELS)
    assert set(card.threshold) == set(card.labels)
    assert all(0 < value < 1 for value in card.threshold.values())
    assert 0 <= card.look_ahead_s <= 1  # the limit that the design sets for events in files


def test_all_networks_together_are_small():
    cards = list_models()
    n_bytes = sum(path.stat().st_size for path in WEIGHTS.iterdir())
    assert n_bytes <= MAX_BYTES
    assert 0 < sum(card.n_parameters for card in cards) <= MAX_PARAMETERS
    for card in cards:  # float16: a file holds the parameters once, and the graphs are small
        sizes = {file: graph["bytes"] for file, graph in card.graphs.items()}
        weights = sizes.pop(f"{card.name}.weights")
        assert 2 * card.n_parameters * 0.99 <= weights <= 2 * card.n_parameters * 1.05
        assert max(sizes.values()) < 400_000


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("place", [0, 1_000, -1])
def test_one_flipped_bit_is_noticed(copy, graph, place):
    path = copy / f"hear.{graph}.onnx"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{path}: size or hash is not what the card says"):
        load_all(load_card(copy / "hear.json"))


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_truncated_and_a_missing_graph_are_named(copy, graph):
    path = copy / f"hear.{graph}.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=f"{path}: size or hash"):
        load_all(load_card(copy / "hear.json"))
    path.unlink()
    with pytest.raises(ModelError, match=f"{path}: No such file"):
        load_all(load_card(copy / "hear.json"))


def test_a_graph_that_no_card_lists_is_not_loaded(copy):
    card = load_card(change(copy / "hear.json", graphs={}))
    with pytest.raises(ModelError, match=r"hear: its card lists no graph hear\.queries\.onnx"):
        Model(card)


@pytest.mark.parametrize(
    "content",
    ["", "not json", "[]", "{}", '{"labels": 3}', '{"labels": ["rain"], "name": "x"}', "\xff"],
)
def test_what_is_not_a_card_is_one_line_that_names_it(tmp_path, content):
    path = tmp_path / "odd.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=f"{path}: not a model card: .") as caught:
        load_card(path)
    assert "\n" not in str(caught.value)


def test_unknown_fields_of_a_card_are_refused(copy):
    with pytest.raises(ModelError, match="thresholds"):
        load_card(change(copy / "hear.json", thresholds={}))


@pytest.mark.parametrize("change_of", [{"hop_s": 0.01}, {"version": 2}, {"colour": "blue"}])
def test_a_model_that_learned_with_another_front_end_is_not_loaded(copy, change_of):
    card = load_card(change(copy / "hear.json", front_end=SPECIFICATION | change_of))
    (name,) = change_of
    with pytest.raises(ModelError, match=f"hear: learned with another front end: {name} is "):
        Model(card)


def test_a_model_of_another_kind_is_not_loaded_for_labels(copy):
    card = load_card(change(copy / "hear.json", kind="speech"))
    with pytest.raises(ModelError, match="hear: gives masks of speech"):
        Model(card)
    with pytest.raises(ModelError, match="kind 'magic' is not one of labels, speech, talkers"):
        load_card(change(copy / "hear.json", kind="magic"))


def test_a_model_is_loaded_once():
    assert load_model() is load_model("hear")


@pytest.mark.parametrize("name", ["herring", "", "hear.step", "../weights/herring"])
def test_an_unknown_model_is_answered_with_the_known_ones(name):
    with pytest.raises(ModelError, match=r"is not there; known: .*\bhear\b"):
        find_model(name)


def test_where_there_is_no_model_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match="holds no model card"):
        find_model("hear")


@pytest.mark.parametrize("content", [b"dear diary\n" * 20, b"", b"\x08\x01"])
def test_what_is_not_a_graph_is_one_line_that_names_it(tmp_path, content):
    path = tmp_path / "odd.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{path}: cannot be loaded: .") as caught:
        Graph(path)
    assert "\n" not in str(caught.value)


def test_a_graph_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "none.onnx"
    with pytest.raises(ModelError, match=f"{path}: cannot be loaded: .*File doesn't exist"):
        Graph(path)


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_graph_keeps_no_state_and_harms_none(graph):
    step = Graph(find_model("hear").graph(graph))
    shape = step.argument_shape("frames")
    frames = np.random.default_rng(0).random(shape, np.float32)
    fresh = step.init_state()
    first, after = step(frames, state=fresh)
    again, after_again = step(frames, state=fresh)
    later, _ = step(frames, state=after)
    assert not any(tensor.any() for tensor in fresh.tensors)
    for a, b in zip([*first, *after.tensors], [*again, *after_again.tensors], strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, later, strict=True))
    assert [t.shape for t in after.tensors] == [t.shape for t in fresh.tensors]
