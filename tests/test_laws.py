"""Every streaming class is held to the law, and none may be missing."""

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
from echoic.ear import Adaptation, Ear, Filterbank, FrontEnd, HairCell, Inverse, Nerve
from echoic.nn.heads import Detect as DetectHead
from echoic.nn.hearing import HearingNetwork
from echoic.nn.leaky import LeakyLayer
from echoic.nn.listener import Listener
from echoic.nn.memory import EchoicMemory
from echoic.processors import Attend, Detect, Separate
from laws import LAWS, Case

RATE = 44_100  # where a hop is not a whole number of samples
NOISE = np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32) * 0.1


def mono(n: int) -> NDArray[np.float32]:
    return NOISE[0, :n]


def channels(n: int) -> NDArray[np.float32]:
    return NOISE[:, :n]


def levels(n: int) -> NDArray[np.float32]:
    return np.abs(NOISE[:, :n])


def subbands(n: int) -> NDArray[np.complex64]:
    bank = Filterbank.separating(sample_rate=16_000)
    return bank(NOISE[0, :n])[0]


def frames_of(hop_s: float):  # type: ignore[no-untyped-def]
    return lambda n: int(n / (RATE * hop_s))


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
    values = np.random.default_rng(0).random((*shape, 256), dtype=np.float32)
    return lambda n: values[..., :n]


def steps_first(cls, *args, **kwargs):  # type: ignore[no-untyped-def]
    """A module whose steps come before its units, turned so that time is last."""

    class Turned(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.inner = cls(*args, **kwargs)
            self.hop = self.inner.hop

        def forward(self, x, state=None):  # type: ignore[no-untyped-def]
            y, state = self.inner(x.transpose(1, 2), state)
            turned = y if cls is DetectHead else y.transpose(1, 2)
            return turned, state

    return lambda: WithGrad(Turned())


def listener() -> torch.nn.Module:
    class Turned(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.inner = Listener()
            self.hop = self.inner.hop

        def forward(self, x, state=None):  # type: ignore[no-untyped-def]
            heard, state = self.inner(x, state)
            return (heard.embedding.transpose(1, 2), heard.groups.movedim(1, -1)), state

    return WithGrad(Turned())


CASES = [
    Case(Filterbank, lambda: Filterbank(sample_rate=RATE), mono, 9_001, batch=np.stack),
    Case(Inverse, lambda: Inverse(sample_rate=16_000), subbands, 4_001, batch=np.stack),
    Case(Inverse, lambda: Inverse(sample_rate=16_000, n_taps=2), subbands, 4_001, batch=np.stack),
    Case(HairCell, lambda: HairCell(sample_rate=16_000), subbands, 4_001, batch=np.stack),
    Case(Nerve, lambda: Nerve(hop_s=0.0025), levels, 4_001, batch=np.stack),
    Case(Adaptation, lambda: Adaptation(hop_s=0.01), levels, 4_001, batch=np.stack),
    Case(
        Ear,
        lambda: Ear(sample_rate=RATE, features=("envelope", "onset", "fine"), compression="log"),
        mono,
        9_001,
        batch=np.stack,
        n_out=frames_of(0.0025),
    ),
    Case(FrontEnd, lambda: FrontEnd(sample_rate=RATE), channels, 9_001, n_out=frames_of(0.005)),
    Case(Detect, lambda: Detect(sample_rate=RATE), channels, 9_001, n_out=frames_of(0.02)),
    Case(
        Separate,
        lambda: Separate(labels=("speech", "rain"), sample_rate=RATE),
        channels,
        9_001,
    ),
    Case(Attend, lambda: Attend(mute=("speech",), sample_rate=RATE), channels, 9_001),
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
        EchoicMemory, network(EchoicMemory, 6), uniform(1, 3), 200, batch=np.concatenate, n_out=int
    ),
    Case(
        LeakyLayer,
        steps_first(LeakyLayer, 16),
        uniform(1, 16),
        200,
        batch=np.concatenate,
        n_out=int,
    ),
    Case(
        Listener,
        listener,
        uniform(1, 2, 64),
        200,
        chunk=2,
        tolerance=1e-5,
        batch=np.concatenate,
        n_out=lambda n: n // 2,
    ),
    Case(
        DetectHead,
        steps_first(DetectHead, 3, 256),
        uniform(1, 256),
        200,
        tolerance=1e-5,
        batch=np.concatenate,
        n_out=int,
    ),
    Case(
        HearingNetwork,
        network(HearingNetwork, 3),
        uniform(1, 2, 64),
        200,
        chunk=2,
        tolerance=1e-5,
        batch=np.concatenate,
        n_out=lambda n: n // 2,
    ),
]


def streaming_classes() -> Iterator[type]:
    """Every class of echoic that declares a hop and is called."""
    for module in pkgutil.walk_packages(echoic.__path__, "echoic."):
        for _, cls in inspect.getmembers(import_module(module.name), inspect.isclass):
            declares = hasattr(cls, "hop") and not getattr(cls, "_is_protocol", False)
            if cls.__module__ == module.name and declares:
                yield cls


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cls.__name__)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law, case: Case) -> None:  # type: ignore[no-untyped-def]
    law(case)


def test_no_streaming_class_is_missing() -> None:
    assert set(streaming_classes()) <= {case.cls for case in CASES}
