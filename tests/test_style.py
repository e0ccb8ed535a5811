"""Style transfer: closed forms of its parts, and one run of every method."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echoic.errors import ParameterError
from echoic.style import METHODS, texture, transfer
from echoic.style.cochlea import FRAME_HZ, Cochlea
from echoic.style.coherence import analytic, coherence_term
from echoic.style.depth import depth_of, exponent_for
from echoic.style.losses import gaussian_mmd_loss, gram, mean_loss, polynomial_mmd_loss
from echoic.style.methods.course import (
    LIKENESS,
    WORDS_RISE,
    depth_term,
    envelope_term,
    words_term,
)
from echoic.style.methods.listening import shifted_to_fit, with_course
from echoic.style.methods.long_term import LongTermSpectrum, spectrum_term
from echoic.style.methods.mcdermott import TextureFeatures, TextureView
from echoic.style.methods.mosaic import _more_runs
from echoic.style.methods.picture import li
from echoic.style.methods.task import Task
from echoic.style.networks import PictureNetwork, Wide
from echoic.style.optimise import Problem, Schedule, Term, minimise
from echoic.style.spectrogram import DecibelSpectrogram, LogSpectrogram
from echoic.style.statistics import CORRELATION_OFFSETS, TextureStatistics, class_distances
from echoic.style.styling import MAX_SEED, How
from echoic.style.vocoder import depth_gains, lengthen, randomise_phase, shape_bands, smooth, vocode

RATE = 16_000
torch.set_num_threads(1)


def noise(n_samples: int = RATE, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(n_samples, generator=torch.Generator().manual_seed(seed))


def tone(hz: float, n_samples: int = RATE) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hz * torch.arange(n_samples) / RATE)


def syllables(n_samples: int = RATE) -> torch.Tensor:
    """Noise in bursts at 4 Hz, 40 dB deep."""
    level_db = 20 * torch.sin(2 * torch.pi * 4 * torch.arange(n_samples) / RATE) - 20
    return noise(n_samples, seed=1) * 10 ** (level_db / 20)


# The bank -----------------------------------------------------------------------------------


def test_a_tone_at_a_band_centre_has_its_amplitude_there_and_nowhere_else():
    cochlea = Cochlea(RATE, sample_rate=RATE)
    k = 15
    linear = cochlea(0.5 * tone(round(float(cochlea.center_hz[k])))).linear[:, 100:300].mean(-1)
    assert linear[k] == pytest.approx(0.5, rel=0.01)
    assert float(linear[[k - 2, k + 2]].max()) < 0.005


def test_the_bands_share_out_the_power():
    wave = tone(1000) + 0.3 * tone(2345)
    power = Cochlea(RATE, sample_rate=RATE)(wave).linear.square().mean(-1).sum() / 2
    assert float(power) == pytest.approx(float(wave.square().mean()), rel=0.01)


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 44_100])
def test_the_wide_bank_reaches_nyquist_or_20_khz(sample_rate):
    wide = Cochlea.wide(sample_rate, sample_rate=sample_rate)
    usual = Cochlea(sample_rate, sample_rate=22_050)
    assert wide.spacing_erb == pytest.approx(usual.spacing_erb, rel=0.03)
    assert 0.8 < wide.center_hz[-1] / min(20_000, sample_rate / 2) < 1


def test_envelopes_have_gradients_even_in_silence():
    wave = torch.zeros(RATE, requires_grad=True)
    heard = Cochlea(RATE, sample_rate=RATE)(wave)
    (heard.linear.sum() + heard.compressed.sum()).backward()
    assert torch.isfinite(wave.grad).all()


# Statistics ---------------------------------------------------------------------------------


def measured(wave: torch.Tensor) -> dict[str, torch.Tensor]:
    cochlea = Cochlea(wave.shape[-1], sample_rate=RATE)
    return TextureStatistics(cochlea.n_frames, 30)(cochlea(wave / wave.std()))


def test_a_modulation_is_found_in_its_own_band():
    for hz in (4.0, 20.0, 60.0):
        wave = noise(4 * RATE) * (1 + tone(hz, 4 * RATE))
        power = measured(wave)["modulation"][20:28].mean(0)
        centers = np.geomspace(0.5, 200, 20)
        assert abs(np.log2(centers[int(power.argmax())] / hz)) < 0.5


def test_bands_that_move_together_are_correlated_and_others_are_not():
    offset = CORRELATION_OFFSETS.index(8)
    together = measured(noise(4 * RATE) * (1 + tone(4, 4 * RATE)))["correlation"][:22, offset]
    apart = measured(noise(4 * RATE))["correlation"][:22, offset]
    assert float(together.mean()) > 0.3
    assert float(apart.abs().mean()) < 0.1


def test_statistics_do_not_depend_on_length_or_level():
    found, wanted = measured(noise(4 * RATE)), measured(5 * noise(3 * RATE, seed=2))
    distances = class_distances(found, wanted, torch.ones(30, dtype=torch.bool))
    assert max(map(float, distances.values())) < 0.6
    assert float(class_distances(found, found, torch.ones(30, dtype=torch.bool))["c2"]) == 0


def test_statistics_of_next_to_nothing_are_refused():
    with pytest.raises(ParameterError, match=r"0\.100 s are too short"):
        TextureStatistics(40, 30)


# Vocoder and depth --------------------------------------------------------------------------


def test_gains_of_one_give_the_carrier_back():
    cochlea = Cochlea(RATE, sample_rate=RATE)
    back = shape_bands(noise(), torch.ones(30, cochlea.n_frames), cochlea)
    torch.testing.assert_close(back, noise(), atol=1e-5, rtol=0)


def test_depth_is_the_slope_of_levels():
    content = syllables(4 * RATE)
    assert depth_of(content, content, sample_rate=RATE) == pytest.approx(1)
    assert depth_of(content, noise(4 * RATE), sample_rate=RATE) == pytest.approx(0, abs=0.1)
    half = noise(4 * RATE, seed=3) * (content.abs() / 0.1 + 1e-3).sqrt()
    assert depth_of(content, half, sample_rate=RATE) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("sample_rate", [8_000, RATE])
def test_the_depth_that_is_optimised_is_the_one_that_is_measured(sample_rate):
    content = syllables(2 * sample_rate)
    spectrum = torch.fft.rfft(content)
    spectrum[spectrum.shape[-1] // 4 :] *= 1j  # high bands follow the content, low ones do not
    spectrum[: spectrum.shape[-1] // 4] = torch.fft.rfft(noise(2 * sample_rate, seed=3))[
        : spectrum.shape[-1] // 4
    ]
    result = torch.fft.irfft(spectrum, n=2 * sample_rate)
    cochlea = Cochlea.wide(2 * sample_rate, sample_rate=sample_rate)
    # Losses at depths of 0 and 1 are mean(s²) and mean((s − 1)²) of the slopes s.
    at_0, at_1 = (
        float(depth_term(cochlea(content).linear, depth, cochlea).loss(heard(result, cochlea)))
        for depth in (0.0, 1.0)
    )
    measured = depth_of(content, result, sample_rate=sample_rate)
    assert (at_0 - at_1 + 1) / 2 == pytest.approx(measured, abs=0.06)


def test_the_vocoder_comes_to_the_depth_that_is_asked_for():
    content, carrier = syllables(2 * RATE), noise(2 * RATE, seed=4)
    cochlea = Cochlea(2 * RATE, sample_rate=RATE, level=0.05)
    envelopes = cochlea(content).linear
    for depth in (0.25, 0.7):
        exponent = exponent_for(
            depth,
            content,
            lambda e: shape_bands(carrier, depth_gains(envelopes, e), cochlea),
            sample_rate=RATE,
        )
        wave = vocode(content, carrier, sample_rate=RATE, depth=exponent)
        assert depth_of(content, wave, sample_rate=RATE) == pytest.approx(depth, abs=0.05)


@pytest.mark.parametrize("n_samples", range(24_000, 30_000, 300))
def test_lengthening_is_as_loud_at_the_end(n_samples):
    wave = torch.ones(RATE)
    assert lengthen(wave, n_samples, sample_rate=RATE)[-RATE // 10 :].min() > 0.99


def test_lengthening_has_no_gaps():
    long = lengthen(noise(4_000), 20_000, sample_rate=RATE)
    assert long.shape == (20_000,)
    levels = long.reshape(-1, 400).square().mean(-1).sqrt()
    assert float(levels.min()) > 0.07
    torch.testing.assert_close(lengthen(noise(), 500, sample_rate=RATE), noise()[:500])


def test_random_phases_keep_the_spectrum():
    wave = randomise_phase(noise(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        torch.fft.rfft(wave).abs()[1:-1], torch.fft.rfft(noise()).abs()[1:-1]
    )
    assert float((wave @ noise()).abs() / noise().square().sum()) < 0.05


def test_smoothing_keeps_the_mean_and_stays_positive():
    envelope = torch.zeros(1, 400)
    envelope[0, 200] = 1
    out = smooth(envelope, 10)
    assert float(out.min()) >= -1e-6
    assert float(out.sum()) == pytest.approx(1, rel=1e-4)
    assert FRAME_HZ == 400


# Spectrograms -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [LogSpectrogram, DecibelSpectrogram])
def test_companding_goes_back(kind):
    spectrogram = kind(sample_rate=RATE)
    magnitude = torch.linspace(0, 100, 50)
    torch.testing.assert_close(
        spectrogram.expand(spectrogram.compand(magnitude)), magnitude, atol=0.01, rtol=1e-3
    )


def test_griffin_lim_comes_near_a_true_spectrogram():
    spectrogram = LogSpectrogram(sample_rate=RATE)
    wanted = spectrogram(tone(440) * 0.1)
    wave = spectrogram.invert(wanted, RATE, torch.Generator().manual_seed(0))
    error = (spectrogram(wave) - wanted).norm() / wanted.norm()
    assert float(error) < 0.1


# Losses -------------------------------------------------------------------------------------


def test_the_polynomial_discrepancy_is_the_mean_over_all_pairs():
    rng = torch.Generator().manual_seed(0)
    x, y = (torch.rand(3, n, generator=rng) for n in (7, 11))
    c = gram(y).diagonal().sum()

    def mean_kernel(a, b):
        return (a.T @ b + c).square().mean()

    wanted = mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)
    found = polynomial_mmd_loss(x, gram(y), y.mean(-1)) * gram(y).square().sum()
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-6)


def test_losses_vanish_where_distributions_agree():
    x = torch.rand(3, 500)
    assert float(mean_loss(x, x[:, torch.randperm(500)])) < 1e-9
    near = float(gaussian_mmd_loss(x, torch.rand(3, 500), seed=0))
    far = float(gaussian_mmd_loss(x, 2 + torch.rand(3, 500), seed=0))
    assert abs(near) < 0.1 < far


def test_a_gaussian_kernel_pairs_positions_anew_every_round():
    """The same pairs for good were matched one by one, and noise came out."""
    content, style = (0.1 * torch.randn(RATE // 2) for _ in range(2))
    task = Task(content=content, style=style, sample_rate=RATE, strength=0.5, seed=3)
    problem = li(task, "gaussian")
    seen = problem.features_of(problem.view(content))

    def style_loss(terms) -> float:
        return float(next(term.loss(seen) for term in terms if term.kind == "style"))

    rounds = [style_loss(problem.renew(seen, k, problem.terms)) for k in range(3)]
    assert len({style_loss(problem.terms), *rounds}) == 4
    assert li(task, "polynomial").renew is None


# The optimisation ---------------------------------------------------------------------------


def bowl(wanted: torch.Tensor, **options) -> Problem:
    def distance(view):
        return (view - wanted).square().sum()

    return Problem(torch.ones(4), lambda x: x, (Term("bowl", "style", 2.0, distance),), **options)


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_the_bottom_of_a_bowl_is_found(optimiser):
    wanted = torch.tensor([1.0, -2.0, 3.0, 0.0])
    done = minimise(bowl(wanted), Schedule(optimiser, 300, 0.05))
    torch.testing.assert_close(done.wave, wanted, atol=0.02, rtol=0)
    assert done.style_before == done.style_after < 1e-2
    assert len(done.losses) <= 300


def test_what_was_optimised_and_what_came_of_it_are_told_apart():
    done = minimise(
        bowl(torch.zeros(4), invert=lambda view: view + 1), Schedule(), domain="published"
    )
    assert done.style_before == pytest.approx(0, abs=1e-6)
    assert done.style_after == pytest.approx(8)


def test_the_loss_is_that_of_the_wave():
    done = minimise(bowl(torch.zeros(4)), Schedule("adam", 30, 0.8))
    totals = [sum(losses.values()) for losses in done.losses]
    assert min(totals) < 0.9 * totals[-1]
    assert done.loss == min(totals) == pytest.approx(float(2 * done.wave.square().sum()))


def test_ctrl_c_keeps_the_best_so_far():
    def stop(number, _losses):
        if number == 5:
            raise KeyboardInterrupt

    done = minimise(bowl(torch.zeros(4)), Schedule("adam"), on_step=stop)
    assert done.interrupted
    assert len(done.losses) == 5
    assert float(done.wave.norm()) < 1.9


def test_terms_are_renewed_from_round_to_round():
    def toward(end: float) -> tuple[Term, ...]:
        return (Term("distance", "content", 1.0, lambda view: (view - end).square().sum()),)

    def renew(_seen: torch.Tensor, index: int, _former: tuple[Term, ...]) -> tuple[Term, ...]:
        return toward(1.0 + index)

    problem = Problem(torch.ones(4), lambda x: x, toward(0.0), renew=renew)
    done = minimise(problem, Schedule(n_steps=60, n_rounds=3))
    torch.testing.assert_close(done.wave, torch.full((4,), 3.0), atol=0.01, rtol=0)
    assert len(done.losses) <= 60


# Coherence ----------------------------------------------------------------------------------


def heard(wave: torch.Tensor, cochlea: Cochlea | None = None) -> TextureFeatures:
    view = TextureView(cochlea or Cochlea(wave.shape[-1], sample_rate=RATE))
    return view(wave)


def test_a_copy_is_coherent_wherever_it_comes_from_and_at_whatever_level():
    source = noise(2 * RATE)
    wave = torch.cat([noise(RATE, seed=1), -0.3 * source[4000 : 4000 + RATE]])
    term = coherence_term(wave, (source,), sample_rate=RATE)
    assert term is not None
    # Of the five snippets that overlap the copy by more than half, four lie (almost) inside it.
    assert 0.4 * (1 - 0.2) ** 2 < float(term.loss(heard(wave))) <= (1 - 0.2) ** 2 + 1e-4


def test_a_shift_of_phase_is_no_way_out():
    source = tone(200, 2 * RATE) + 0.01 * noise(2 * RATE)
    later = analytic(source).imag
    term = coherence_term(source, (source,), sample_rate=RATE)
    assert term is not None
    found, shifted = (float(term.loss(heard(wave))) for wave in (source, later))
    assert shifted == pytest.approx(found, rel=0.1)


def test_other_noise_is_let_be():
    assert coherence_term(noise(2 * RATE), (noise(RATE, 1),), sample_rate=RATE) is None


# Methods ------------------------------------------------------------------------------------

CONTENT, STYLE = syllables().numpy(), noise(seed=5).numpy()
HEAVY = {"ulyanov"}  # 46 million weights; ulyanov-1024 is the same code


@pytest.mark.parametrize("method", sorted(set(METHODS) - HEAVY))
def test_every_method_restyles(method):
    n_steps = 3 if METHODS[method].optimises else None
    done = transfer(CONTENT, STYLE, sample_rate=RATE, method=method, n_steps=n_steps)
    assert done.wave.shape == CONTENT.shape
    assert done.wave.dtype == np.float32
    assert np.isfinite(done.wave).all()
    assert np.std(done.wave) == pytest.approx(np.std(CONTENT), rel=0.05)


@pytest.mark.parametrize("method", ["gatys", "ulyanov-1024"])
def test_published_methods_work_on_the_waveform_too(method):
    done = transfer(
        CONTENT, STYLE, sample_rate=RATE, method=method, domain="waveform", n_steps=30, strength=0.9
    )
    assert sum(done.losses[-1].values()) < 0.5 * sum(done.losses[0].values())
    assert done.style_after == done.style_before


@pytest.mark.parametrize(
    ("method", "n_networks"),
    [("gatys", 1), ("verma-smith", 1), ("wyse", 2), ("ulyanov-1024", 1), ("antognini", 6)],
)
def test_networks_run_once_for_all_terms(monkeypatch, method, n_networks):
    calls = []
    for kind in (PictureNetwork, Wide):
        original = kind.__call__
        monkeypatch.setattr(
            kind,
            "__call__",
            lambda *a, original=original, **k: calls.append(a) or original(*a, **k),
        )
    asked = {"sample_rate": RATE, "method": method, "domain": "waveform"}
    n_calls = []
    for n_steps in (1, 3):
        calls.clear()
        transfer(CONTENT, STYLE, n_steps=n_steps, **asked)
        n_calls.append(len(calls))
    assert n_calls[1] - n_calls[0] == 2 * n_networks


@pytest.mark.parametrize("method", ["gatys", "ulyanov-1024"])
def test_published_methods_leave_their_start(method):
    """However long the content is: the gradients of five layers vanish near silence."""
    long = np.tile(CONTENT, 3)
    done = transfer(long, STYLE, sample_rate=RATE, method=method, n_steps=15, strength=0.9)
    first, last = (sum(losses.values()) for losses in (done.losses[0], done.losses[-1]))
    assert last < 0.5 * first


def test_the_whole_envelope_is_asked_for_in_proportion_to_the_depth():
    content, view = syllables(), TextureView(Cochlea.wide(RATE, sample_rate=RATE))
    deep, shallow = (envelope_term(view.cochlea(content).linear, depth) for depth in (0.5, 0.25))
    alike, unlike = view(content), view(noise(seed=3))
    assert float(deep.loss(alike)) == float(shallow.loss(alike)) == 0
    assert float(deep.loss(unlike)) == pytest.approx(LIKENESS**2, rel=0.3)
    assert float(shallow.loss(unlike)) == pytest.approx((LIKENESS / 2) ** 2, rel=0.5)


def test_no_fewer_words_are_asked_for_than_the_vocoder_keeps():
    content, view = syllables(), TextureView(Cochlea.wide(RATE, sample_rate=RATE))
    linear = view.cochlea(content).linear
    kept, none = view(content + 0.5 * noise(seed=3)), view(noise(seed=3))
    term = words_term(linear, kept.envelopes.linear, 0.0, view.cochlea)
    assert float(term.loss(kept)) == float(term.loss(view(content))) == 0
    assert float(term.loss(none)) > 0.01
    more = words_term(linear, kept.envelopes.linear, 0.5, view.cochlea)
    assert float(more.loss(kept)) == pytest.approx((WORDS_RISE / 2) ** 2, rel=1e-3)


def test_a_style_is_turned_round_to_where_it_fits():
    at_frame = torch.arange(400)
    events = 1e-2 + torch.exp(-0.5 * ((at_frame - 100) / 5.0) ** 2).expand(30, -1)
    fitted = shifted_to_fit(events, events.roll(170, -1))
    torch.testing.assert_close(fitted, events.roll(170, -1))


def test_noise_takes_on_a_course_and_levels():
    cochlea = Cochlea.wide(RATE, sample_rate=RATE)
    course = 1 + 0.9 * torch.sin(2 * torch.pi * 4 * torch.arange(400) / FRAME_HZ).expand(30, -1)
    course = course[:1].expand(cochlea.center_hz.size, -1)
    level = torch.full((cochlea.center_hz.size, 1), 0.01)
    found = cochlea(with_course(noise(), course, level, cochlea)).linear
    assert (smooth(found, 30.0).mean(0) / smooth(course, 30.0).mean(0)).std() < 0.002
    torch.testing.assert_close(found.square().mean(-1).sqrt(), level[:, 0], rtol=0.3, atol=0.0)


def test_the_long_term_spectrum_of_noise_is_even_and_does_not_depend_on_length():
    for n_samples in (RATE, 3 * RATE):
        spectrum = LongTermSpectrum(n_samples, sample_rate=RATE)
        found = spectrum(noise(n_samples))[-40:]
        assert float(found.mean()) == pytest.approx(0.01, rel=0.1)
        assert float(found.std()) < 0.005
    assert not bool(LongTermSpectrum(RATE // 10, sample_rate=RATE).there.all())


def test_hiss_where_the_style_has_none_is_a_loss():
    spectrum = torch.fft.rfft(noise(seed=5))
    spectrum[RATE // 4 :] = 0
    style = torch.fft.irfft(spectrum, n=RATE)
    term = spectrum_term(style, RATE, sample_rate=RATE)
    view = TextureView(Cochlea.wide(RATE, sample_rate=RATE))
    assert float(term.loss(view(style))) == 0
    assert float(term.loss(view(style + 0.05 * noise()))) > 0.1


def test_hearing_hears_more_of_the_style_and_keeps_the_depth():
    done = transfer(CONTENT, STYLE, sample_rate=RATE, n_steps=40, strength=0.5)
    assert sum(done.losses[-1].values()) < 0.5 * sum(done.losses[0].values())
    assert depth_of(
        torch.from_numpy(CONTENT), torch.from_numpy(done.wave), sample_rate=RATE
    ) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_quarter_of_a_second_that_begins_in_silence_is_restyled(strength):
    blip, ticks = np.zeros(RATE // 4), np.zeros(RATE // 2)
    blip[RATE // 8 :], ticks[:: RATE // 8] = noise(RATE // 8).numpy(), 1
    done = transfer(blip, ticks, sample_rate=RATE, strength=strength, n_steps=6)
    assert np.isfinite(done.wave).all()
    assert np.std(done.wave) == pytest.approx(np.std(blip), rel=0.05)


def test_a_seed_gives_the_same_sound_again():
    waves = [
        transfer(CONTENT, STYLE, sample_rate=RATE, n_steps=2, seed=seed).wave for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(waves[0], waves[1])
    assert np.abs(waves[0] - waves[2]).max() > 1e-3


def test_runs_of_frames_are_promoted_over_three_frames():
    active = torch.zeros(7, 7)
    active[3, 3] = 1
    assert torch.nonzero(_more_runs(active)).tolist() == [[2, 2], [3, 3], [4, 4]]


@pytest.mark.parametrize(
    ("method", "changed", "words"),
    [
        ("mcdermott", {"strength": 0.5}, "takes no strength=0.5; these do: hearing"),
        ("grinstein", {"strength": 0.0}, "takes no strength=0.0"),
        ("musaicing", {"strength": 1.0}, "takes no strength=1.0"),
        ("vocoder", {"n_steps": 60}, "takes no n_steps=60"),
        ("musaicing", {"domain": "waveform"}, "takes no domain='waveform'"),
        ("hearing", {"domain": "published"}, "takes no domain='published'; these do: gatys"),
        ("complex", {"domain": "published"}, "takes no domain='published'"),
    ],
)
def test_what_means_nothing_to_a_method_is_refused(method, changed, words):
    with pytest.raises(ParameterError, match=f"method '{method}' {words}"):
        How(method, **changed).check()


def test_another_method_takes_the_settings_that_it_has():
    asked = How("gatys", strength=0.3, n_steps=5, domain="published", network="layers.pt")
    assert asked.by("gatys") == asked
    assert asked.by("hearing") == How("hearing", strength=0.3, n_steps=5)
    assert asked.by("musaicing") == How("musaicing")
    assert asked.by("grinstein") == How("grinstein", n_steps=5, domain="published")
    assert (How().settings()["strength"], How("mcdermott").settings()["strength"]) == (0.5, None)
    with pytest.raises(ParameterError, match="'magic' is not one of"):
        asked.by("magic")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"method": "magic"}, "method 'magic' is not one of: hearing"),
        ({"strength": 1.5}, "strength=1.5 is outside 0 to 1"),
        ({"n_steps": 0}, "n_steps=0 is below 1"),
        ({"seed": -1}, "seed=-1 is outside 0 to 4294967295"),
        ({"seed": 2**64}, "seed=18446744073709551616 is outside"),
        ({"style": np.zeros(RATE, np.float32)}, "style is silent"),
        ({"content": np.zeros(RATE, np.float32)}, "content is silent"),
        ({"style": STYLE[:800]}, "style is 0.05 s long"),
        ({"style": np.full(RATE, np.nan, np.float32)}, "NaN"),
        ({"content": CONTENT[None]}, "not .time,. of floats"),
    ],
)
def test_what_cannot_be_restyled_is_refused(changed, words):
    arguments = {"content": CONTENT, "style": STYLE, "sample_rate": RATE, **changed}
    with pytest.raises(ParameterError, match=words):
        transfer(**arguments)


def test_the_largest_seed_is_a_seed():
    assert np.isfinite(
        transfer(CONTENT, STYLE, sample_rate=RATE, seed=MAX_SEED, n_steps=1).wave
    ).all()
    with pytest.raises(ParameterError, match="seed="):
        texture(STYLE, sample_rate=RATE, seconds=0.5, seed=MAX_SEED + 1)


def test_learned_layers_take_the_place_of_random_ones(tmp_path):
    network = PictureNetwork.random(n_maps=(8, 8, 8, 8, 8), seed=5)
    torch.save(network.weights, tmp_path / "layers.pt")
    asked = {"sample_rate": RATE, "method": "gatys", "n_steps": 2, "domain": "waveform"}
    of_file = [
        transfer(CONTENT, STYLE, seed=seed, network=str(tmp_path / "layers.pt"), **asked)
        for seed in (0, 0)
    ]
    random = transfer(CONTENT, STYLE, **asked)
    np.testing.assert_array_equal(of_file[0].wave, of_file[1].wave)
    assert of_file[0].losses[0] != random.losses[0]


def test_learned_layers_of_another_rate_are_refused(tmp_path):
    torch.save([torch.ones(4, 99, 5), torch.ones(2, 4, 5)], tmp_path / "layers.pt")
    with pytest.raises(ParameterError, match="learned from 99 frequencies"):
        transfer(
            CONTENT,
            STYLE,
            sample_rate=RATE,
            method="wyse",
            network=str(tmp_path / "layers.pt"),
        )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no network", "holds no weights"),
        ({"a": torch.ones(1)}, "holds no weights"),
        ([torch.ones(4, 3, 5)], "axes; needed are 5 of 4"),
        ([torch.ones(4, 3, 3, 3), *[torch.ones(4, 4, 3, 3)] * 4], r"take \[3, 4, .* given \[1, 4"),
        ([torch.ones(4, 1, 3, 3), *[torch.ones(4, 8, 3, 3)] * 4], r"take \[1, 8, .* given \[1, 4"),
        (None, "No such file"),
    ],
)
def test_a_file_that_holds_no_layers_is_refused(tmp_path, content, words):
    path = tmp_path / "layers.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(ParameterError, match=words):
        transfer(CONTENT, STYLE, sample_rate=RATE, method="gatys", network=str(path))


def test_a_method_without_a_network_takes_none():
    with pytest.raises(ParameterError, match="'hearing' takes no network; these do: gatys"):
        transfer(CONTENT, STYLE, sample_rate=RATE, network="layers.pt")
