"""The torch ear against the runtime; its gradients against finite differences, closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import echoic
from echoic.ear import adjoint
from echoic.errors import ParameterError
from echoic.nn import Ear, Filterbank

METHODS = ("recursive", "fft")
SMALL = {"sample_rate": 8_000, "n_bands": 2, "low_hz": 300, "high_hz": 3_000}


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    values = np.random.default_rng(5).standard_normal(shape) * 0.1
    return torch.from_numpy(values).to(dtype)


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("method", METHODS)
def test_equals_the_runtime(method: str, rate: int) -> None:
    wave = noise(2, rate // 10)
    for compression in ("none", "power", "log"):
        ear = Ear(sample_rate=rate, compression=compression, method=method)
        wanted, _ = echoic.Ear(sample_rate=rate, compression=compression)(wave.numpy())
        assert np.abs(ear(wave)[0].numpy() - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())
    wanted, _ = echoic.Filterbank(sample_rate=rate)(wave.numpy())
    got, _ = Filterbank(sample_rate=rate, method=method)(wave)
    assert np.abs(got.numpy() - wanted).max() < 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("learnable", [(), ("center", "bandwidth")])
@pytest.mark.parametrize("kind", [Ear, Filterbank])
@pytest.mark.parametrize("method", METHODS)
def test_gradcheck(method: str, kind: type, learnable: tuple[str, ...]) -> None:
    """Over two chunks, so that the state's derivatives are checked as well, and past a segment."""
    module = kind(**SMALL, learnable=learnable, method=method).double()
    names = [name for name, _ in module.named_parameters()]
    assert len(names) == len(learnable)

    def loss(wave: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        replaced = dict(zip(names, parameters, strict=True))
        first, state = torch.func.functional_call(module, replaced, (wave[..., :15],))
        second, state = torch.func.functional_call(module, replaced, (wave[..., 15:], state))
        out = torch.cat([first, second], dim=-1)
        out = torch.view_as_real(out) if out.is_complex() else out
        weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape)
        return (out * weights).sum(), *state[: 2 if kind is Ear else 1]

    wave = noise(15 + adjoint.SEGMENT + 5, dtype=torch.float64).requires_grad_()
    parameters = [parameter.detach().requires_grad_() for parameter in module.parameters()]
    assert torch.autograd.gradcheck(loss, (wave, *parameters), atol=1e-7, rtol=1e-4)


def test_gradient_of_a_subband_is_the_impulse_response_backwards() -> None:
    """∂ Re y[T] / ∂ x[T − n] = Re h[n]."""
    bank = Filterbank(sample_rate=16_000)
    wave = noise(600).requires_grad_()
    bank(wave)[0][20, -1].real.backward()
    wanted = bank.design.impulse_response(600)[20].real[::-1]
    assert np.abs(wave.grad.numpy() - wanted).max() < 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("compression", ["none", "power", "log"])
def test_silence_has_a_finite_gradient(compression: str) -> None:
    wave = torch.zeros(2, 800, requires_grad=True)
    Ear(sample_rate=16_000, compression=compression)(wave)[0].sum().backward()
    assert wave.grad.isfinite().all()


def test_both_ways_have_one_gradient() -> None:
    grads = []
    for method in METHODS:
        wave = noise(2, 4_000).requires_grad_()
        ear = Ear(sample_rate=16_000, method=method, learnable=("center", "bandwidth"))
        (ear(wave)[0] ** 2).sum().backward()
        grads.append((wave.grad, *(p.grad for p in ear.parameters())))
    for recursive, fft in zip(*grads, strict=True):
        assert (recursive - fft).abs().max() < 1e-4 * fft.abs().max()


def test_a_learned_bank_goes_to_the_runtime() -> None:
    """Gradient descent finds the frequency of a tone, and the runtime hears as the module does."""
    tone = torch.sin(2 * torch.pi * 1_100 / 16_000 * torch.arange(3_200))
    options = {"sample_rate": 16_000, "n_bands": 1, "low_hz": 1_000, "high_hz": 1_000}
    ear = Ear(**options, learnable=["center"])
    optimiser = torch.optim.Adam(ear.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        (-ear(tone)[0][..., 40:].mean()).backward()
        optimiser.step()
    assert ear.design.center_hz[0] == pytest.approx(1_100, abs=5)
    runtime = echoic.Ear(sample_rate=16_000, design=ear.design)
    with torch.no_grad():
        assert np.abs(ear(tone)[0].numpy() - runtime(tone.numpy())[0]).max() < 1e-5
    again = Ear(**options, learnable=["center"])
    again.load_state_dict(ear.state_dict())
    assert again.design.center_hz[0] == ear.design.center_hz[0]


def test_a_detached_state_ends_the_gradient() -> None:
    first, second = noise(400).requires_grad_(), noise(400).requires_grad_()
    ear = Ear(sample_rate=16_000)
    _, state = ear(first)
    ear(second, state.detach())[0].sum().backward()
    assert first.grad is None
    assert second.grad.abs().max() > 0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e30])
def test_what_is_no_sound_does_not_stay(bad: float) -> None:
    wave = noise(800)
    wave[100] = bad
    ear = Ear(sample_rate=16_000)
    frames, state = ear(wave)
    assert frames.isfinite().all()
    assert ear(noise(800), state)[0].isfinite().all()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"sample_rate": 7_000}, "7000"),
        ({"n_bands": 0}, "n_bands=0"),
        ({"hop_s": 0}, "hop_s=0"),
        ({"compression": "cube"}, "cube"),
        ({"method": "magic"}, "magic"),
        ({"learnable": "center"}, "learnable='center'"),
        ({"learnable": ["smell"]}, "smell"),
        ({"design": echoic.Filterbank(sample_rate=8_000).design}, "design is for 8000"),
    ],
)
def test_bad_parameters_are_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        Ear(**{"sample_rate": 16_000, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wave", "named"),
    [
        (np.zeros(10, np.float32), r"numpy\.ndarray"),
        (torch.zeros(10, dtype=torch.float16), "float16"),
        (torch.zeros(10, dtype=torch.int16), "int16"),
        (torch.tensor(1.0), "shape"),
        (torch.zeros(10, device="meta"), "meta"),
    ],
)
def test_what_is_no_wave_is_refused(wave: torch.Tensor, named: str) -> None:
    for module in (Ear(sample_rate=16_000), Filterbank(sample_rate=16_000)):
        with pytest.raises(ParameterError, match=named):
            module(wave)


def test_a_state_of_another_ear_is_refused() -> None:
    _, state = Ear(sample_rate=16_000, n_bands=32)(noise(100))
    with pytest.raises(ParameterError, match="does not belong"):
        Ear(sample_rate=16_000)(noise(100), state)
    _, state = Ear(sample_rate=16_000)(noise(100))
    with pytest.raises(ParameterError, match="EarState does not belong to this Filterbank"):
        Filterbank(sample_rate=16_000)(noise(100), state)
    with pytest.raises(ParameterError, match="float64"):
        Ear(sample_rate=16_000).double()(noise(100).double(), state)


@pytest.mark.parametrize("learnable", [(), ("center",)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_poles_are_not_cast_to_less_than_float32(dtype: torch.dtype, learnable: tuple) -> None:  # type: ignore[type-arg]
    ear = Ear(sample_rate=16_000, learnable=learnable).to(dtype)
    with pytest.raises(ParameterError, match=f"the module is cast to {dtype}"):
        ear(noise(100))


def test_the_face_is_that_of_the_runtime() -> None:
    for module, runtime in ((Ear, echoic.Ear), (Filterbank, echoic.Filterbank)):
        ours, theirs = module(sample_rate=16_000), runtime(sample_rate=16_000)
        np.testing.assert_array_equal(ours.center_hz, theirs.center_hz)
        state, their_state = ours(noise(2, 100))[1], theirs(noise(2, 100).numpy())[1]
        assert ours.finish(state).shape == theirs.finish(their_state).shape
