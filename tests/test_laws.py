"""Runs the streaming checks on every streaming class, and fails if one is missing."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import echoic
from echoic import nn as echoic_nn
from echoic.ear import (
    Adaptation,
    Correlogram,
    Ear,
    Filterbank,
    FrontEnd,
    HairCell,
    Inverse,
    Nerve,
    Pitch,
    SummaryCorrelogram,
)
from echoic.nn.heads import QUERY_SIZE
from echoic.nn.heads import Detect as DetectHead
from echoic.nn.hearing import HearingNetwork
from echoic.nn.leaky import LeakyLayer
from echoic.nn.listener import Listener
from echoic.nn.memory import EchoicMemory
from echoic.nn.separator import Separator
from echoic.processors import (
    ApplyMasks,
    Attend,
    Denoise,
    Detect,
    Listen,
    Model,
    Replay,
    Separate,
    Talker,
    Unmix,
    Voices,
    load_model,
)
from echoic.processors.masks import ApplyMasksState
from echoic.runtime import GraphState, find_model
from echoic.runtime.network import Network
from echoic.synthesis import harmonic_complex
from laws import LAWS, Case

RATE = 44_100  # where a hop is not a whole number of samples
NOISE = np.random.default_rng(0).standard_normal((2, 50_000)).astype(np.float32) * 0.1


def mono(n: int) -> NDArray[np.float32]:
    return NOISE[0, :n]


def voiced(n: int) -> NDArray[np.float32]:
    """A gliding complex in noise, for what hears pitch."""
    f0_hz = np.linspace(100, 300, 24_000)
    complex_tone = harmonic_complex(f0_hz, 24_000 / RATE, sample_rate=RATE, level_dbfs=-10)
    return (complex_tone + 0.1 * NOISE[0, :24_000])[:n]


def channels(n: int) -> NDArray[np.float32]:
    return NOISE[:, :n]


def levels(n: int) -> NDArray[np.float32]:
    return np.abs(NOISE[:, :n])


def subbands(n: int) -> NDArray[np.complex64]:
    bank = Filterbank.separating(sample_rate=16_000)
    return bank(NOISE[0, :n])[0]


def frames_of(hop_s: float, rate: int = RATE):  # type: ignore[no-untyped-def]
    return lambda n: (int(n / (rate * hop_s)),)


class WithGrad(torch.nn.Module):
    """A network in evaluation, fed with numpy arrays."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner.eval()
        self.hop = getattr(inner, "hop", 1)

    def forward(self, x, state=None):  # type: ignore[no-untyped-def]
        with torch.no_grad():
            return self.inner(torch.from_numpy(np.ascontiguousarray(x)), state)


def network(cls, *args, **kwargs):  # type: ignore[no-untyped-def]
    def make() -> torch.nn.Module:
        torch.manual_seed(1)
        return WithGrad(cls(*args, **kwargs))

    return make


def uniform(*shape: int):  # type: ignore[no-untyped-def]
    values = np.random.default_rng(0).random((*shape, 2_400), dtype=np.float32)
    return lambda n: values[..., :n]


def turned(cls, *args, steps_first: bool = False, **kwargs):  # type: ignore[no-untyped-def]
    """A module whose results have their steps first, turned so that time is last.

    With `steps_first` its input has them first as well, and there is one result.
    """

    class Turned(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.inner = cls(*args, **kwargs)
            self.hop = self.inner.hop

        def forward(self, x, state=None):  # type: ignore[no-untyped-def]
            if steps_first:
                y, state = self.inner(x.transpose(1, 2), state)
                return y.movedim(1, -1), state
            heard, state = self.inner(x, state)
            return tuple(part.movedim(1, -1) for part in heard), state

    return lambda: WithGrad(Turned())


class MaskedByItself:
    """Masks of a made-up network: a function of the step's number."""

    hop = 1

    def __init__(self) -> None:
        self.apply = ApplyMasks(n_labels=2, frames_per_step=2, sample_rate=RATE)
        self.delay, self.finish = self.apply.delay, self.apply.finish

    def __call__(self, x, state=None):  # type: ignore[no-untyped-def]
        start = int(state.n_samples[0]) if isinstance(state, ApplyMasksState) else 0
        steps = range(self.apply.n_steps(start), self.apply.n_steps(start + x.shape[-1]))
        return self.apply(x, numbered_masks(2, steps), state)


def numbered_masks(n: int, steps: range) -> NDArray[np.float32]:
    masks = [np.random.default_rng(step).random((n, 64)) for step in steps]
    return np.array(masks, np.float32).reshape(-1, n, 64).transpose(1, 2, 0)


def replay() -> Replay:
    model = load_model()
    return Replay(
        model,
        lambda start, stop: numbered_masks(QUERY_SIZE + 1, range(start, stop)).swapaxes(0, 1),
        labels=("speech", "rain"),
        sample_rate=RATE,
    )


def state_of(module, x):  # type: ignore[no-untyped-def]
    return module(x, None)[1]


def foreign_states_of(state):  # type: ignore[no-untyped-def]
    """Of a model with specialists: parts of it, and parts exchanged."""
    common = state.common
    return [
        common,
        state._replace(own=()),
        state._replace(own=(common,)),
        *(
            state._replace(recent=one)
            for one in (None, (), (None,), (ear_frames(63)(3),), (ear_frames()(3) > 0,))
        ),
        *(
            state._replace(common=common._replace(**other))
            for other in ({"pending": ear_frames()(4)}, {"graph": GraphState(())})
        ),
    ]


def ear_frames(n_bands: int = 64):  # type: ignore[no-untyped-def]
    return lambda n: np.random.default_rng(0).random((n, n_bands, 2), np.float32).T


def separate(*labels: str, rate: int = RATE) -> Separate:
    return Separate(labels=labels, sample_rate=rate)


def of_other_levels(module):  # type: ignore[no-untyped-def]
    return lambda: [state_of(module, levels(9)[:1]), state_of(module, levels(9)[None])]


NETWORK = {"tolerance": 1e-5, "batch": np.concatenate}
CASES = [
    Case(
        Filterbank,
        lambda: Filterbank(sample_rate=RATE),
        mono,
        9_001,
        batch=np.stack,
        others=lambda: [
            state_of(Filterbank(sample_rate=RATE, n_bands=32), mono(9)),
            state_of(Filterbank(sample_rate=3 * RATE), mono(9)),
            state_of(Filterbank(sample_rate=RATE, high_hz=6_000), mono(9)),
            state_of(Ear(sample_rate=RATE), mono(9)),
        ],
    ),
    Case(
        Inverse,
        lambda: Inverse(sample_rate=16_000),
        subbands,
        4_001,
        batch=np.stack,
        others=lambda: [
            state_of(Inverse(sample_rate=16_000, n_taps=2), subbands(9)),
            state_of(Inverse(sample_rate=16_000, delay_s=0.008), subbands(9)),
        ],
    ),
    Case(Inverse, lambda: Inverse(sample_rate=16_000, n_taps=2), subbands, 4_001, batch=np.stack),
    Case(
        HairCell,
        lambda: HairCell(sample_rate=16_000),
        subbands,
        4_001,
        batch=np.stack,
        others=lambda: [
            state_of(HairCell(sample_rate=16_000, order=3), subbands(9)),
            state_of(HairCell(sample_rate=16_000), subbands(9)[:5]),
        ],
    ),
    Case(
        Nerve,
        lambda: Nerve(hop_s=0.0025),
        levels,
        4_001,
        batch=np.stack,
        others=of_other_levels(Nerve(hop_s=0.0025)),
    ),
    Case(
        Adaptation,
        lambda: Adaptation(hop_s=0.01),
        levels,
        4_001,
        batch=np.stack,
        others=of_other_levels(Adaptation(hop_s=0.01)),
    ),
    Case(
        Ear,
        lambda: Ear(sample_rate=RATE, features=("envelope", "onset", "fine"), compression="log"),
        mono,
        9_001,
        batch=np.stack,
        n_out=frames_of(0.0025),
        others=lambda: [
            state_of(Ear(sample_rate=RATE), mono(9)),
            state_of(Ear(sample_rate=RATE, features=("fine",), n_bands=65), mono(9)),
            *(
                state_of(Ear(features=("onset", "fine"), **{"sample_rate": RATE, **other}), mono(9))
                for other in ({"hop_s": 0.01}, {"low_hz": 60}, {"sample_rate": 3 * RATE})
            ),
            state_of(Filterbank(sample_rate=RATE), mono(9)),
        ],
    ),
    Case(
        Correlogram,
        lambda: Correlogram(sample_rate=RATE, n_bands=20),
        mono,
        9_001,
        batch=np.stack,
        n_out=frames_of(0.01),
        others=lambda: [
            state_of(Correlogram(sample_rate=RATE, n_bands=21), mono(9)),
            state_of(Correlogram(sample_rate=RATE, n_bands=20, window_s=0.05), mono(9)),
            state_of(SummaryCorrelogram(sample_rate=RATE, n_bands=20), mono(9)),
        ],
    ),
    Case(
        SummaryCorrelogram,
        lambda: SummaryCorrelogram(sample_rate=RATE),
        mono,
        9_001,
        batch=np.stack,
        n_out=frames_of(0.01),
        others=lambda: [
            state_of(SummaryCorrelogram(sample_rate=RATE, longest_lag_s=0.01), mono(9)),
            state_of(Correlogram(sample_rate=RATE), mono(9)),
        ],
    ),
    Case(
        Pitch,
        lambda: Pitch(sample_rate=RATE, hop_s=0.005),
        voiced,
        20_001,
        batch=np.stack,
        n_out=lambda n: 2 * frames_of(0.005)(n),
        others=lambda: [
            state_of(Pitch(sample_rate=RATE, hop_s=0.005, look_ahead_s=0), mono(9)),
            state_of(Pitch(sample_rate=RATE), mono(9)),
            state_of(SummaryCorrelogram(sample_rate=RATE), mono(9)),
        ],
    ),
    Case(
        Model,
        load_model,
        ear_frames(),
        1_203,
        n_out=lambda n: (n // 2, n // 2),
        tolerance=1e-5,
        others=lambda: [
            state_of(Detect(sample_rate=RATE), channels(9)),
            *foreign_states_of(state_of(load_model(), ear_frames()(3))),
        ],
    ),
    Case(
        Listen,
        lambda: Listen(load_model(), sample_rate=RATE),
        channels,
        9_001,
        n_out=lambda n: frames_of(0.005)(n) + frames_of(0.01)(n) + frames_of(0.01)(n),
        others=lambda: [
            state_of(Listen(load_model(), sample_rate=RATE), channels(9)[:1]),
            state_of(FrontEnd(sample_rate=RATE), channels(9)),
        ],
    ),
    *(
        Case(
            echoic_nn.Ear,
            network(echoic_nn.Ear, sample_rate=RATE, compression="log", method=method),
            mono,
            9_001,
            tolerance=tolerance,
            batch=np.stack,
            n_out=frames_of(0.0025),
        )
        for method, tolerance in (("recursive", 1e-6), ("fft", 2e-5))
    ),
    *(
        Case(
            echoic_nn.Filterbank,
            network(echoic_nn.Filterbank, sample_rate=16_000, method=method),
            mono,
            4_001,
            tolerance=tolerance,
            batch=np.stack,
        )
        for method, tolerance in (("recursive", 1e-6), ("fft", 1e-5))
    ),
    Case(
        ApplyMasks,
        MaskedByItself,
        channels,
        9_001,
        others=lambda: [
            state_of(MaskedByItself(), channels(9)[:1]),
            state_of(replay(), channels(9))._replace(gains=np.zeros((2, 1, 64), np.float32)),
        ],
    ),
    Case(
        Replay,
        replay,
        channels,
        9_001,
        others=lambda: [state_of(replay(), channels(9)[:1])],
    ),
    Case(
        FrontEnd,
        lambda: FrontEnd(sample_rate=RATE),
        channels,
        9_001,
        n_out=frames_of(0.005),
        others=lambda: [
            state_of(FrontEnd(sample_rate=RATE), channels(9)[:1]),
            state_of(Ear(sample_rate=RATE), channels(9)),
        ],
    ),
    Case(
        Detect,  # longer than its look-ahead of 0.5 s and its memory of 5 s
        lambda: Detect(sample_rate=8_000),
        channels,
        48_017,
        n_out=frames_of(0.01, 8_000),
        tolerance=1e-5,  # of the highest probability, here 0.07; graphs of chunks and of steps
        others=lambda: [
            state_of(Detect(sample_rate=8_000), channels(9)[:1]),
            state_of(FrontEnd(sample_rate=8_000), channels(9)),
        ],
    ),
    Case(
        Separate,
        lambda: separate("speech", "rain"),
        channels,
        30_011,
        others=lambda: [
            state_of(separate("speech"), channels(300)),
            state_of(separate("speech", "rain", "music", "rooster"), channels(300)),
            state_of(separate("speech", "rain", rate=16_000), channels(300)),
            state_of(separate("speech", "rain"), channels(300)[:1]),
            state_of(Detect(sample_rate=RATE), channels(300)),
        ],
    ),
    Case(
        Attend,
        lambda: Attend(mute=("speech",), sample_rate=RATE),
        channels,
        9_001,
        others=lambda: [
            state_of(separate("speech"), channels(9)),
            state_of(Attend(mute=("speech",), sample_rate=RATE), channels(9)[:1]),
        ],
    ),
    Case(
        Unmix,
        lambda: Unmix(model="denoise", kind="speech", sample_rate=RATE),
        channels,
        9_001,
        others=lambda: [
            state_of(Unmix(model="denoise", kind="speech", sample_rate=RATE), channels(9)[:1]),
            state_of(separate("speech"), channels(9)),
        ],
    ),
    Case(
        Denoise,
        lambda: Denoise(sample_rate=RATE, floor_db=-12),
        channels,
        9_001,
        others=lambda: [
            state_of(Denoise(sample_rate=RATE), channels(9)[:1]),
            state_of(separate("speech"), channels(9)),
        ],
    ),
    Case(
        Network,
        lambda: Network(find_model("denoise")),
        ear_frames(),
        301,
        n_out=lambda n: (n // 2,),
        tolerance=1e-5,
        others=lambda: [state_of(Network(find_model("hear")), ear_frames()(3))],
    ),
    Case(Voices, lambda: Voices(sample_rate=RATE), channels, 9_001),
    Case(Talker, lambda: Talker(voiced(24_000), sample_rate=RATE), channels, 9_001),
    Case(
        EchoicMemory,
        turned(EchoicMemory, 6, steps_first=True),
        uniform(1, 3),
        300,
        batch=np.concatenate,
    ),
    Case(
        LeakyLayer,
        turned(LeakyLayer, 16, steps_first=True),
        uniform(1, 16),
        200,
        batch=np.concatenate,
    ),
    Case(
        Listener,
        turned(Listener),
        uniform(1, 2, 64),
        1_200,  # longer than its memory of 1,024 frames
        chunk=2,
        n_out=lambda n: (n // 2, n // 2),
        **NETWORK,
    ),
    Case(DetectHead, turned(DetectHead, 3, 256, steps_first=True), uniform(1, 259), 200, **NETWORK),
    Case(
        HearingNetwork,
        turned(HearingNetwork, 3),
        uniform(1, 2, 64),
        1_200,
        chunk=2,
        n_out=lambda n: (n // 2, n // 2, n // 2),
        **NETWORK,
    ),
    Case(
        Separator,
        turned(Separator, 2),
        uniform(1, 2, 64),
        1_200,
        chunk=2,
        n_out=lambda n: (n // 2,),
        **NETWORK,
    ),
]


# Internal parts of tested classes, called only by them and with other signatures.
INNER = {"Block", "Encoder", "Graph", "QueryNetwork", "Specialists", "_Flat"}


def streaming_classes() -> Iterator[type]:
    """Every class of echoic that takes a state when it is called."""
    for module in pkgutil.walk_packages(echoic.__path__, "echoic."):
        for _, cls in inspect.getmembers(import_module(module.name), inspect.isclass):
            call = vars(cls).get("forward", vars(cls).get("__call__"))
            if cls.__module__ != module.name or getattr(cls, "_is_protocol", False) or not call:
                continue
            if "state" in inspect.signature(call).parameters and cls.__name__ not in INNER:
                yield cls


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls.__name__)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, case: Case) -> None:  # type: ignore[no-untyped-def]
    law(case)


def test_no_streaming_class_is_missing() -> None:
    found = set(streaming_classes())
    assert found <= {case.cls for case in CASES}
    assert {Ear, Network, Model, Separator} <= found


RUNTIME_CASES = [case for case in CASES if not issubclass(case.cls, torch.nn.Module)]


@pytest.mark.parametrize("case", RUNTIME_CASES, ids=lambda case: case.cls.__name__)
def test_what_runs_without_torch_has_all_that_a_driver_needs(case: Case) -> None:
    module = case.make()
    assert {"hop", "delay", "finish"} <= {*dir(module)}
