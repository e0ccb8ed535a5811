"""Resynthesis from subbands: streaming with a short delay, or exact for a whole file.

`Inverse` is causal and streams; `invert_exactly` needs the whole signal and has no
delay. With gains of 1 both reproduce the input.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echoic.checks import check_kind, check_state
from echoic.ear import kernels
from echoic.ear.design import ORDER, BankDesign, design_inverse, design_separating
from echoic.ear.filterbank import check_design
from echoic.ear.subbands import as_subbands


class InverseState(NamedTuple):
    """tail: (..., tap, band, delay) float32, weighted samples not yet output."""

    tail: NDArray[np.float32]


class Inverse:
    """Weight and delay every subband; their sum is the input again.

    The bands come out real and time-aligned, so that gains can be applied before
    they are summed: with gains of 1 the sum is the input, `delay` samples late. At
    4 ms and 16 kHz it is accurate to 65 dB for white noise and 80 dB for speech, and
    with two taps to 88 dB for white noise. Masks are applied to these bands: as they are
    aligned, a gain at one time acts on the same moment of the input in every band.

    Args:
        sample_rate: Hz.
        delay_s: Delay of analysis and synthesis together, 1 to 100 ms.
        n_taps: Taps per band, 1 to 4 (see `design_inverse`). The shipped networks
            were trained with one.
        design: The `design` of the bank that computed the subbands; by default that of
            `Filterbank.separating`, not of `Filterbank`. Subbands of another bank give
            another wave, which cannot be noticed.

    Shape:
        subbands (..., band, time) complex -> bands (..., band, time) float32;
        their sum over bands is the wave.

    Delay: `delay` samples, round(delay_s · sample_rate). Hop: 1.

    Raises:
        ParameterError: a value out of range, a design for another rate, or
            subbands of another number of bands.

    Example:
        >>> from echoic.ear import Filterbank
        >>> bank = Filterbank.separating(sample_rate=16000)
        >>> inverse = Inverse(sample_rate=16000)
        >>> click = np.eye(1, 320, dtype=np.float32)[0]
        >>> bands, state = inverse(bank(click)[0])
        >>> int(np.argmax(bands.sum(axis=0))) == inverse.delay == 64
        True
    """

    hop = 1

    def __init__(
        self,
        *,
        sample_rate: float,
        delay_s: float = 0.004,
        n_taps: int = 1,
        design: BankDesign | None = None,
    ) -> None:
        """Solve for the weights."""
        self.bank = design_separating(sample_rate=sample_rate) if design is None else design
        check_design(self.bank, sample_rate=sample_rate)
        self.design = design_inverse(self.bank, delay_s=delay_s, n_taps=n_taps)
        self.delay = self.design.delay_samples
        self._weight_re = self.design.weight.real.astype(np.float32)
        self._weight_im = self.design.weight.imag.astype(np.float32)

    def __call__(
        self, subbands: NDArray[np.complex64], state: InverseState | None = None
    ) -> tuple[NDArray[np.float32], InverseState]:
        """Weight and align the next chunk of subbands."""
        subbands = as_subbands(subbands, n_bands=self.bank.n_bands)
        lead = subbands.shape[:-2]
        tail_shape = (*lead, *self.design.weight.shape, self.delay)
        init = InverseState(np.zeros(tail_shape, np.float32))
        state = init if state is None else state
        check_state(state, init, owner="Inverse")
        tail = state.tail
        bands = np.zeros(subbands.shape, dtype=np.float32)
        new_tail = np.empty_like(tail)
        for *index, tap in np.ndindex(tail_shape[:-2]):
            item = tuple(index)
            new_tail[(*item, tap)] = kernels.align(
                subbands[item],
                self._weight_re[tap],
                self._weight_im[tap],
                self.design.band_delay_samples[tap],
                tail[(*item, tap)],
                bands[item],
            )
        return bands, InverseState(new_tail)

    def finish(self, state: InverseState) -> NDArray[np.float32]:
        """The last `delay` samples, as if silence followed in every band.

        Filters ring on after the input ends: to keep that, feed `delay` zeros
        through the filterbank instead and discard this tail.
        """
        check_kind(state, InverseState, owner="Inverse")
        lead = state.tail.shape[:-3]
        silence = np.zeros((*lead, self.bank.n_bands, self.delay), dtype=np.complex64)
        return self(silence, state)[0]


# Regularisation, relative to the maximum of S: frequencies far below it are not restored.
_DEAF = 1e-12


def invert_exactly(subbands: NDArray[np.complex64], *, design: BankDesign) -> NDArray[np.float32]:
    """The wave whose subbands are closest to the given ones, without delay.

    The bank's canonical dual: every subband Y is filtered once more by its own filter
    H, backwards in time, and the sum is divided by the power response of the bank,

        X(f) = (N(f) + N*(−f)) / (S(f) + S(−f)),  N = Σ H*·Y,  S = Σ |H|².

    This is the least-squares solution for a real wave: exact where the subbands are
    those of a wave, and the best approximation where gains have been applied to them.
    The overall response of each band is |H|² / S: zero phase, positive, summing to 1,
    so that gains cause no smearing and may change abruptly without a click.

    Filters ring on after the wave has ended, and the ringing is part of its subbands:
    append `design.ring_samples` of silence to the wave before the bank and cut them off
    the result. Frequencies that no band covers cannot be restored (`design_separating`
    covers all). Memory: four complex128 waves, regardless of the number of bands.

    Args:
        subbands: Of a whole file.
        design: The `design` of the bank that computed them.

    Shape:
        subbands (..., band, time) complex -> wave (..., time), float32.

    Delay: 0 samples, by looking ahead.

    Raises:
        ParameterError: no complex array, no design, or another number of bands.

    References: Duffin and Schaeffer (1952), the dual frame; Hohmann (2002), a
        gammatone bank's synthesis.

    Example:
        >>> from echoic.ear import Filterbank
        >>> bank = Filterbank.separating(sample_rate=16000)
        >>> wave = np.sin(np.arange(1600, dtype=np.float32))
        >>> ringing_out = np.pad(wave, (0, bank.design.ring_samples))
        >>> again = invert_exactly(bank(ringing_out)[0], design=bank.design)[:1600]
        >>> bool(np.abs(again - wave).max() < 1e-5)
        True
    """
    check_design(design)
    subbands = as_subbands(subbands, n_bands=design.n_bands)
    n_samples = subbands.shape[-1]
    # Room for the ringing backwards beyond the beginning; a multiple that is fast to FFT.
    n_fft = -(-(n_samples + design.ring_samples) // 4096) * 4096
    back_one = np.exp(-2j * np.pi * np.fft.fftfreq(n_fft))
    wave = np.empty((*subbands.shape[:-2], n_samples), np.float32)
    for index in np.ndindex(wave.shape[:-1]):
        answer = np.zeros(n_fft, np.complex128)
        heard = np.zeros(n_fft, np.float64)
        for band, pole, gain in zip(subbands[index], design.pole, design.gain, strict=True):
            response = gain / (1 - pole * back_one) ** ORDER
            answer += response.conj() * np.fft.fft(band.astype(np.complex128), n_fft)
            heard += np.square(response.real) + np.square(response.imag)
        heard = heard + np.roll(heard[::-1], 1)  # S(f) + S(−f)
        # If a wave has the spectrum A, its real part has (A(f) + A*(−f)) / 2.
        wave[index] = np.fft.ifft(2 * answer / (heard + _DEAF * heard.max())).real[:n_samples]
    return wave
