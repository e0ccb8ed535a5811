"""Training: scenes with known ground truth, losses against closed forms, a resumable loop."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from echoic import audio
from echoic.ear import Filterbank, Inverse
from echoic.ear.design import N_GAIN_BANDS
from echoic.errors import ParameterError
from echoic.labels import LABELS
from echoic.nn.hearing import HearingNetwork
from echoic.nn.scan import _in_blocks, scan
from echoic.processors.masks import DELAY_S
from echoic.training.asking import (
    drawn_among,
    drawn_left_out,
    given_to_rest,
    labels_asked,
    queries_of,
)
from echoic.training.band_masking import with_bands_hidden
from echoic.training.data import (
    OTHER,
    Recordings,
    is_changed,
    is_kept_aside,
    load_clips,
    load_files,
    make_clip,
    recording_of,
)
from echoic.training.hard_negatives import (
    CHANGES,
    make_hard_negatives,
    mirrored,
    modulated,
    much_faster,
    much_slower,
    noise_vocoded,
    phases_randomised,
    shuffled,
)
from echoic.training.loop import LoopSettings, train
from echoic.training.losses import applied, detection_loss, distortion_db, error_db, share_loss
from echoic.training.mixing import MixingSettings, SceneMixer
from echoic.training.muon import Muon, nearest_orthogonal, optimisers
from echoic.training.recipes.hear import LONG, SHORT, batches_of, hear_in_turn, losses
from echoic.training.synthetic import MAKERS, synthesise
from echoic.training.targets import MAX_SOURCES, ExampleMaker, activity_of

RATE = 16_000


def tone(frequency_hz: float, n_samples: int = RATE, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(n_samples) / rate).astype(np.float32)


def peak_hz(wave: np.ndarray, rate: int = RATE) -> float:
    return float(np.abs(np.fft.rfft(wave)).argmax() * rate / wave.size)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    """Two tones a label, each label at its own frequency, with silence around."""
    clips = []
    for k, label in enumerate([*LABELS, OTHER]):
        wave = np.pad(tone(200 + 100 * k, RATE), (RATE // 2, RATE))
        clips += [make_clip(f"{label}/{n}-x", label, wave * (n + 1) / 4, RATE) for n in range(2)]
    return Recordings(clips)


# Recordings --------------------------------------------------------------------------------


def test_takes_of_one_recording_are_drawn_as_often_as_a_single_one(rng):
    noise = rng.standard_normal(8000).astype(np.float32)
    files = [*(f"clock-{k}.wav" for k in range(9)), "another.wav"]
    recordings = Recordings(make_clip(file, "clock_tick", noise, RATE) for file in files)
    drawn = [recordings.draw("clock_tick", rng).file for _ in range(1000)]
    assert 400 < drawn.count("another.wav") < 600


def test_one_draw_in_four_is_synthesised_however_many_such_clips_there_are(rng):
    noise = rng.standard_normal(8000).astype(np.float32)
    files = ["real-1.wav", "real-2.wav", *(f"synthetic/clock-{k}x" for k in range(30))]
    recordings = Recordings(make_clip(file, "clock_tick", noise, RATE) for file in files)
    drawn = [recordings.draw("clock_tick", rng).file for _ in range(1000)]
    assert 200 < sum(file.startswith("synthetic/") for file in drawn) < 300


def test_one_draw_in_five_is_changed_and_none_in_a_background(rng):
    """Changed clips were half of all other sounds, and played as backgrounds."""
    noise = rng.standard_normal(8000).astype(np.float32)
    files = ["real-1.wav", "real-2.wav", *(f"changed/rain-{k}x" for k in range(30))]
    recordings = Recordings(make_clip(file, OTHER, noise, RATE) for file in files)
    drawn = [recordings.draw(OTHER, rng).file for _ in range(1000)]
    assert 150 < sum(map(is_changed, drawn)) < 250
    assert not any(is_changed(recordings.draw(OTHER, rng, changed=False).file) for _ in range(100))


def test_nothing_that_has_a_label_is_made_as_a_sound_of_other_kinds():
    """Sirens, bells, engines and wind were, after they had become labels."""
    assert not set(MAKERS[OTHER]) & {make for label in LABELS for make in MAKERS.get(label, ())}
    assert {"siren", "church_bells", "engine", "wind"} <= set(MAKERS)
    assert set(CHANGES) <= set(LABELS)


def test_what_is_kept_aside_is_a_tenth_and_whole_recordings():
    files = [f"extra/noises/esc50/cow-{fold}-{n}-a.ogg" for n in range(500) for fold in (1, 2)]
    kept = {file for file in files if is_kept_aside(recording_of(file))}
    assert 60 < len(kept) < 140
    assert len({recording_of(file) for file in files}) == 500
    assert {recording_of(one) for one in kept}.isdisjoint(
        recording_of(one) for one in set(files) - kept
    )


def test_a_folder_without_splits_and_a_split_without_files_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("ECHOIC_DATA", str(tmp_path))
    with pytest.raises(ParameterError, match="no splits"):
        load_clips("train")
    (tmp_path / "splits.csv").write_text("file,split,label,fold\na.wav,dev,rain,1\n")
    with pytest.raises(ParameterError, match="split='train'"):
        load_clips("train")


def test_rooms_and_what_may_hold_anything_are_no_clips(tmp_path):
    rows = "file,split,label,fold\na.wav,train,unsure,1\nb.wav,train,room,1\n"
    (tmp_path / "splits.csv").write_text(rows)
    assert load_clips("train", folder=tmp_path) == []


def test_rendered_pieces_are_recordings_of_their_own(tmp_path, rng):
    paths = [tmp_path / f"20-000{k}.flac" for k in range(4)]
    for path in paths:
        audio.write(path, 0.1 * rng.standard_normal((1, RATE)).astype(np.float32), sample_rate=RATE)
    clips = load_files(paths[:3], "music")
    assert [clip.label for clip in clips] == ["music"] * 3
    assert Recordings(clips).n_recordings("music") == 3


# Scenes ------------------------------------------------------------------------------------


def test_a_room_makes_noise_no_louder(rng):
    noise = rng.standard_normal(2 * RATE).astype(np.float32)
    clips = Recordings([make_clip("a/1-x", OTHER, noise, RATE)])
    rooms = [(np.exp(-np.arange(4000) / 900).astype(np.float32) * 1e3, RATE)]
    for own in (rooms, []):  # measured responses half the time, and synthetic ones only
        mixer = SceneMixer(
            clips,
            sample_rate=RATE,
            rooms=own,
            settings=MixingSettings(room_probability=1.0, colour_db=0.0, narrow_probability=0.0),
        )
        inside = [mixer._colour(noise, rng)[RATE : noise.size] for _ in range(20)]
        levels_db = 10 * np.log10(np.mean(np.square(inside), axis=1))
        assert np.abs(np.mean(levels_db)) < 1.5


def test_a_room_rings_on_after_the_sound(rng):
    burst = np.concatenate([np.zeros(RATE), rng.standard_normal(RATE)]).astype(np.float32)
    clips = Recordings([make_clip("a/1-x", OTHER, burst, RATE)])
    rooms = [(np.exp(-np.arange(4000) / 900).astype(np.float32), RATE)]
    settings = MixingSettings(
        speed_probability=0.0,
        crop_probability=0.0,
        reversed_other_probability=0.0,
        colour_db=0.0,
        room_probability=1.0,
        narrow_probability=0.0,
    )
    mixer = SceneMixer(clips, sample_rate=RATE, rooms=rooms, settings=settings)
    mixer._room = lambda rng: mixer.rooms[0]
    wave, spans = mixer._vary(clips.draw(OTHER, rng), rng)
    (onset_s, offset_s), end = spans[-1], round(spans[-1][1] * RATE)
    assert offset_s - onset_s == pytest.approx(1, abs=0.05)
    assert wave.size > end
    decay = np.square(wave[end:])
    assert 0 < decay[-800:].sum() < 0.1 * decay[:800].sum()


@pytest.mark.parametrize("onset_s", [0.0, 2.0, 4.5])
def test_every_piece_of_a_recording_sounds(rng, onset_s):
    """A short sound in seconds of padding was cropped away."""
    wave = 1e-4 * rng.standard_normal(5 * RATE).astype(np.float32)
    wave[round(onset_s * RATE) :][: RATE // 2] += tone(500, RATE // 2)
    clips = [make_clip("sneeze.wav", "person_sneeze", wave, RATE)]
    recordings = Recordings([*clips, make_clip("hum.wav", OTHER, tone(100), RATE)])
    mixer = SceneMixer(
        recordings, sample_rate=RATE, settings=MixingSettings(silent_end_probability=0)
    )
    for _ in range(50):
        scene = mixer.draw_alone("person_sneeze", rng)
        assert sum(off - on for on, off in scene.spans_s["person_sneeze"]) > 0.05


def test_what_is_cut_out_of_a_recording_fades(rng):
    clips = Recordings([make_clip("a/1-x", OTHER, tone(100, 9 * RATE), RATE)])
    settings = MixingSettings(
        onset_probability=0.0, room_probability=0.0, colour_db=0.0, narrow_probability=0.0
    )
    mixer = SceneMixer(clips, sample_rate=RATE, settings=settings)
    cut = [mixer._vary(clips.draw(OTHER, rng), rng)[0] for _ in range(20)]
    ends = [np.abs([*wave[:9], *wave[-9:]]).max() / np.abs(wave).max() for wave in cut]
    assert np.mean(np.array(ends) < 0.05) > 0.5


def test_a_scene_depends_on_its_generator_alone_and_is_the_sum_of_its_sources(recordings):
    mixer = SceneMixer(recordings, sample_rate=RATE)
    for seed in range(20):
        scene, again = (mixer.draw(LABELS[:7], np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(scene.mixture, again.mixture)
        total = np.sum(list(scene.sources.values()), axis=0)
        np.testing.assert_allclose(scene.mixture, total, atol=1e-6)
        assert set(scene.spans_s) == set(scene.sources) - {OTHER}
        assert len(scene.sources) <= MAX_SOURCES
        for spans in scene.spans_s.values():
            assert all(0 <= on < off <= mixer.settings.duration_s for on, off in spans)


@pytest.mark.parametrize("rate", [16_000, 32_000])
def test_a_source_sounds_where_its_spans_say(recordings, rng, rate):
    settings = MixingSettings(room_probability=0, silent_end_probability=0)
    mixer = SceneMixer(recordings, sample_rate=rate, settings=settings)
    for _ in range(10):
        scene = mixer.draw(LABELS, rng)
        for label, spans in scene.spans_s.items():
            power = np.square(scene.sources[label], dtype=np.float64)
            inside = sum(power[round(a * rate) : round(b * rate)].sum() for a, b in spans)
            assert inside >= 0.9 * power.sum()


def test_scenes_end_in_silence_where_they_are_told_to(recordings, rng):
    settings = MixingSettings(silent_end_probability=1)
    scene = SceneMixer(recordings, sample_rate=RATE, settings=settings).draw(LABELS, rng)
    assert not scene.mixture[-int(0.25 * RATE) :].any()
    assert all(off <= 3.7 for spans in scene.spans_s.values() for _, off in spans)


@pytest.mark.parametrize("speed_octaves", [0.0, 0.3])
def test_the_top_of_the_spectrum_is_kept(rng, speed_octaves):
    """Up to 7.6 kHz, where the networks' highest band lies, at any speed, within 1 dB."""
    noise = rng.standard_normal(4 * 44_100).astype(np.float32)
    recordings = Recordings([make_clip("noise.wav", "rain", noise, 44_100)])
    settings = MixingSettings(
        speed_probability=1 if speed_octaves else 0,
        max_speed_octaves=speed_octaves,
        colour_db=0,
        room_probability=0,
        narrow_probability=0,
        crop_probability=0,
        silent_end_probability=0,
    )
    mixer = SceneMixer(recordings, sample_rate=RATE, settings=settings)
    for _ in range(4):
        wave, _ = mixer._vary(recordings.draw("rain", rng), rng)
        power = np.square(np.abs(np.fft.rfft(wave)))
        bands = power[: power.size // 40 * 40].reshape(40, -1).mean(axis=1)  # 200 Hz wide
        assert np.ptp(10 * np.log10(bands[1:38])) < 2.5
        assert abs(10 * np.log10(bands[36:38].mean() / bands[10:30].mean())) < 1


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_powers_are_those_of_the_bank_that_masks_act_in(rng, rate):
    waves = rng.standard_normal((2, rate // 2)).astype(np.float32)
    waves[1, : rate // 5] = 0
    maker = ExampleMaker(sample_rate=rate)
    own, cross, mixture = maker.powers(waves, 50)
    bank, inverse = (
        Filterbank.separating(sample_rate=rate),
        Inverse(sample_rate=rate, delay_s=DELAY_S),
    )
    bands = np.stack([inverse(bank(wave)[0])[0] for wave in waves]).astype(np.float64)
    starts = np.concatenate([[0], maker.clock.ends(0, rate // 2)[:50]])
    for step in (7, 30, 49):
        part = bands[..., starts[step] : starts[step + 1]] / np.sqrt(maker.clock.hop_samples)
        total = part.sum(axis=0)
        for got, wanted in (
            (own[..., step], np.square(part).sum(axis=-1)),
            (cross[..., step], (part * total).sum(axis=-1)),
            (mixture[..., step], np.square(total).sum(axis=-1)),
        ):
            wanted = np.concatenate(  # bands above the highest mask are counted with it
                [wanted[..., :63], wanted[..., 63:].sum(axis=-1, keepdims=True)], axis=-1
            )
            np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-7)


def test_an_example_holds_its_scene(recordings, rng):
    scene = SceneMixer(recordings, sample_rate=RATE).draw(LABELS, rng)
    example = ExampleMaker(sample_rate=RATE)(scene)
    n_steps = round(MixingSettings().duration_s * 100)
    assert example.frames.shape == (2, 64, 2 * n_steps)
    assert example.own.shape == (MAX_SOURCES, N_GAIN_BANDS, n_steps)
    assert (example.source >= 0).sum() == len(scene.sources)
    # The mixture is the sum of its sources, so the products with it sum to its power.
    np.testing.assert_allclose(example.cross.sum(axis=0), example.mixture, rtol=1e-2, atol=1e-9)


def test_activity_is_one_where_the_middle_of_a_step_lies_in_a_span():
    activity = activity_of({"rain": [(0.013, 0.037)]}, n_steps=5)
    assert activity[LABELS.index("rain")].tolist() == [0, 1, 1, 1, 0]
    assert activity.sum() == 3


# Other sounds ------------------------------------------------------------------------------


def test_hard_negatives_have_no_label_and_follow_from_the_seed(recordings):
    first, again, other_seed = (
        make_hard_negatives(recordings, n_clips=2, seed=s) for s in (1, 1, 2)
    )
    assert {clip.label for clip in first} == {OTHER}
    assert 0 < len(first) <= 2 * len(CHANGES)
    assert [c.file for c in first] == [c.file for c in again]
    assert all(np.array_equal(a.wave, b.wave) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].wave, other_seed[0].wave)


def test_every_change_leaves_a_finite_sound(rng):
    wave = (tone(440) * np.hanning(RATE)).astype(np.float32)
    for change in dict.fromkeys(change for changes in CHANGES.values() for change in changes):
        changed = change(wave, rng)
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert np.abs(changed).max() > 0.001


def test_what_each_change_does(rng):
    assert peak_hz(mirrored(tone(1000), rng)) == pytest.approx(7000, abs=2)
    split = np.abs(np.fft.rfft(modulated(tone(3000), rng)))
    upper, lower = np.sort(np.argsort(split)[-2:])
    assert upper + lower == pytest.approx(6000, abs=2)
    chirp = (tone(500) + np.pad(tone(2000, 4000), (0, RATE - 4000))).astype(np.float32)
    np.testing.assert_allclose(
        np.abs(np.fft.rfft(phases_randomised(chirp, rng)))[1:-1],
        np.abs(np.fft.rfft(chirp))[1:-1],
        atol=0.05,
    )
    half = np.concatenate([tone(500), np.zeros(RATE, np.float32)])
    noise = noise_vocoded(half, rng)
    assert np.square(noise[RATE + 200 :]).sum() < 1e-6 * np.square(noise).sum()
    assert 2**1.2 < RATE / much_faster(tone(300), rng).size < 2**2.4
    assert peak_hz(much_slower(tone(2000), rng)) < 2000 / 2**1.2
    assert peak_hz(shuffled(tone(1000), rng)) == pytest.approx(1000, abs=40)


def test_synthetic_clips_are_as_many_as_asked_for():
    made = synthesise(n_clips=1, n_other=14, seed=5)
    labels = [clip.label for clip in made]
    assert labels.count(OTHER) == 14
    assert labels.count("rain") == 1
    assert all(np.isfinite(clip.wave).all() for clip in made)


# Losses ------------------------------------------------------------------------------------


class Shared:
    """Two sources of equal power that never share a band, and shares that are right."""

    def __init__(self) -> None:
        self.slot = torch.tensor([[0, 3, -1]])
        self.own = torch.zeros(1, 3, 4, 6)
        self.own[:, 0, :2] = 1.0
        self.own[:, 1, 2:] = 1.0
        self.mixture = self.own.sum(dim=1)
        self.right = torch.zeros(1, 4, 4, 6)
        self.right[:, 0, :2] = 1.0
        self.right[:, 3, 2:] = 1.0


def test_the_error_of_right_gains_is_its_floor_and_of_the_mixture_the_ratio():
    s = Shared()
    error = error_db(s.right, s.slot, s.own, s.own, s.mixture)
    assert error.item() == pytest.approx(-25, abs=0.1)
    # With the mixture as the estimate, the error is as large as the other source: 0 dB.
    of_all = torch.ones_like(s.right)
    assert error_db(of_all, s.slot, s.own, s.own, s.mixture).item() == pytest.approx(0, abs=0.1)


def test_the_distortion_is_that_of_the_closed_form_whatever_the_level():
    s = Shared()
    assert distortion_db(s.right, s.slot, s.own, s.own, s.mixture).item() == pytest.approx(
        -25, abs=0.1
    )
    for level in (0.3, 1.0):  # the mixture at any level: half of its power is the source
        of_all = torch.full_like(s.right, level)
        found = distortion_db(of_all, s.slot, s.own, s.own, s.mixture).item()
        assert found == pytest.approx(0, abs=0.1)
    # For an estimate that is only the other source it is bounded, and worse than for the mixture.
    wrong = s.right.roll(1, dims=1) + s.right.roll(3, dims=1)
    assert 15 < distortion_db(wrong, s.slot, s.own, s.own, s.mixture).item() < 25


def test_the_share_loss_is_the_entropy_of_the_shares():
    s = Shared()
    assert share_loss(s.right, s.slot, s.own, s.mixture).item() == pytest.approx(0, abs=1e-5)
    even = torch.full_like(s.right, 1 / 4)
    found = share_loss(even, s.slot, s.own, s.mixture).item()
    assert found == pytest.approx(np.log(4), abs=1e-4)


@pytest.mark.parametrize("label", range(1, 3))
def test_what_leaks_into_any_absent_label_costs(label):
    """Label 0 among them in the other order: empty slots once stood for it."""
    s = Shared()
    leaking = 0.7 * s.right
    leaking[:, label] = 0.3
    clean = share_loss(s.right, s.slot, s.own, s.mixture)
    assert share_loss(leaking, s.slot, s.own, s.mixture) > clean + 0.3
    moved, slot = leaking.roll(1, dims=1), (s.slot + 1) % 4 * (s.slot >= 0) - (s.slot < 0).int()
    assert share_loss(moved, slot, s.own, s.mixture) > clean + 0.3


def test_gains_are_those_of_the_step_before():
    masks = torch.arange(6.0).reshape(1, 6)
    # A step's gains ramp from the mask before the last to the last one, then hold.
    torch.testing.assert_close(applied(masks, 1.0), torch.tensor([[0.5, 1.5, 2.5, 3.5]]))
    torch.testing.assert_close(applied(masks, 0.0), torch.tensor([[1.0, 2.0, 3.0, 4.0]]))


def test_detection_is_asked_about_the_moment_that_it_answers():
    activity = torch.zeros(1, 2, 10)
    activity[:, 0, 2:5] = 1
    late = nn.functional.pad(activity, (3, 0))[..., :10]
    assert detection_loss(40 * late - 20, activity, 3) < 1e-6
    assert detection_loss(40 * activity - 20, activity, 3) > 1


@pytest.mark.parametrize(("n_active", "times"), [(100, 1), (25, 2), (4, 4), (1, 4)])
def test_a_short_sound_counts_for_more(n_active, times):
    activity, logits = torch.zeros(1, 1, 100), torch.full((1, 1, 100), -30.0)
    activity[..., :n_active] = 1
    assert float(detection_loss(logits, activity, 0)) == pytest.approx(0.3 * n_active * times)


def test_power_is_shared_among_what_is_there_the_rest_and_some_others():
    torch.manual_seed(0)
    slot = torch.tensor([[0, -1], [0, 3]]).repeat(50, 1)
    among = drawn_among(slot, 6)
    assert among[:, -1].all()
    assert among[::2, 0].all()
    assert among[1::2, [0, 3]].all()
    assert 0.15 < among[:, 4].float().mean() < 0.35
    alone = torch.tensor([[0, -1]]).repeat(400, 1)
    assert 0.4 < (drawn_among(alone, 12).sum(dim=1) == 2).float().mean() < 0.65


def test_asked_for_is_what_sounds_anywhere_and_some_of_what_does_not():
    source = torch.tensor([[3, -1, 52], [7, 30, -1]])
    asked = labels_asked(torch.tensor([7, 3]), source).tolist()
    assert asked[:3] == [7, 3, 30]
    assert asked[-1] == 52
    assert len(asked) == len(set(asked)) == 3 + 8 + 1


def test_what_nobody_asks_for_belongs_to_the_rest():
    torch.manual_seed(0)
    source = torch.tensor([[3, 7, 52, -1]]).repeat(400, 1)
    left_out = drawn_left_out(source)
    assert not left_out[:, 2:].any()
    assert 0.1 < left_out[:, :2].float().mean() < 0.2
    power = torch.rand(400, 4, 2, 5)
    given = given_to_rest(power, left_out, source == 52)
    torch.testing.assert_close(given.sum(dim=1), power.sum(dim=1))
    assert not given[left_out].any()
    kept = ~left_out & (source != 52)
    torch.testing.assert_close(given[kept], power[kept])


def test_a_clip_alone_is_no_example_of_itself():
    torch.manual_seed(0)
    labels, examples = torch.zeros(5, 3), torch.ones(2, 3)
    queries = torch.stack([queries_of(labels, examples, n_items=4) for _ in range(50)])
    assert not queries[:, 0, 0].any()
    assert not queries[:, 1, 1].any()
    assert 0.3 < queries[:, 2:, :2].mean() < 0.7
    assert not queries[:, :, 2:].any()


@pytest.mark.parametrize("contents", [SHORT, LONG])
def test_a_batch_can_be_learned(recordings, contents):
    torch.manual_seed(0)
    batch = batches_of(recordings, {RATE: 1.0}, (contents,))(np.random.default_rng(0))
    network = HearingNetwork(len(LABELS))
    found = losses(network, {name: value[:8] for name, value in batch.items()})
    found["loss"].backward()
    assert all(torch.isfinite(value) for value in found.values())
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_no_mask_is_asked_for_in_a_band_that_is_hidden():
    torch.manual_seed(0)
    shapes = {"frames": (300, 2, 64, 2), "own": (300, 3, 64, 1), "cross": (300, 3, 64, 1)}
    batch = {name: torch.ones(shape) for name, shape in shapes.items()}
    batch |= {"mixture": torch.ones(300, 64, 1), "activity": torch.ones(300, 5, 1)}
    hidden = with_bands_hidden(batch)
    kept = hidden["mixture"][..., 0]
    assert 0.1 < 1 - kept.mean() < 0.25
    assert torch.equal(hidden["activity"], batch["activity"])
    for name in shapes:
        assert torch.equal(hidden[name], kept[:, None, :, None].expand(shapes[name]))


def test_the_last_third_of_a_batch_is_heard_after_the_third_before_it():
    torch.manual_seed(0)
    network, frames = HearingNetwork(len(LABELS)).eval(), torch.rand(7, 2, 64, 40)
    output = hear_in_turn(network, frames)
    alone, _ = network(frames[:5])
    joined, _ = network(torch.cat([frames[3:5], frames[5:]], dim=-1))
    for found, fresh, after in zip(output, alone, joined, strict=True):
        torch.testing.assert_close(found[:5], fresh)
        torch.testing.assert_close(found[5:], after[:, 20:], rtol=1e-4, atol=1e-5)


# The recurrence ----------------------------------------------------------------------------


def test_the_scan_is_its_recurrence_and_both_ways_agree():
    generator = torch.manual_seed(0)
    keep, take = (torch.rand(3, 37, 5, generator=generator, dtype=torch.float64) for _ in "ab")
    first = torch.rand(3, 5, generator=generator, dtype=torch.float64)
    h, steps = first, []
    for t in range(37):
        h = keep[:, t] * h + take[:, t]
        steps.append(h)
    torch.testing.assert_close(scan(keep, take, first), torch.stack(steps, dim=1))
    torch.testing.assert_close(_in_blocks(keep, take, first), torch.stack(steps, dim=1))


def test_a_scan_of_no_steps_has_none():
    nothing, first = torch.zeros(3, 0, 5), torch.zeros(3, 5)
    for by in (scan, _in_blocks):
        assert by(nothing, nothing, first).shape == (3, 0, 5)


def test_the_scan_has_the_right_gradient():
    generator = torch.manual_seed(0)
    keep, take = (torch.rand(2, 9, 3, generator=generator, dtype=torch.float64) for _ in "ab")
    first = torch.rand(2, 3, generator=generator, dtype=torch.float64)
    inputs = [x.requires_grad_() for x in (keep, take, first)]
    assert torch.autograd.gradcheck(scan, inputs)


# The loop ----------------------------------------------------------------------------------


def squares(model: nn.Module, batch: dict) -> dict:
    return {"loss": torch.square(model(batch["x"])[:, 0] - batch["x"].sum(dim=1)).mean()}


def points(rng: np.random.Generator) -> dict:
    return {"x": torch.from_numpy(rng.standard_normal((16, 3)).astype(np.float32))}


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))


def learn(settings: LoopSettings, folder, recipe: str = "test", report=len) -> nn.Module:  # type: ignore[no-untyped-def]
    return train(small(), squares, points, settings, recipe=recipe, folder=folder, report=report)


def test_a_run_that_was_cut_short_ends_where_an_unbroken_one_does(tmp_path):
    settings = LoopSettings(n_steps=40, checkpoint_every=15, log_every=10, n_workers=0)

    class CutShortError(Exception):
        pass

    def cut(line: str) -> None:
        if "step 20" in line:
            raise CutShortError

    lines: list[str] = []
    whole = learn(settings, tmp_path / "whole")
    with pytest.raises(CutShortError):
        learn(settings, tmp_path / "cut", report=cut)
    torch.manual_seed(77)  # the global random state must not matter
    model = learn(settings, tmp_path / "cut", report=lines.append)
    assert lines[0] == "resumed at step 15"
    for a, b in zip(whole.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_logged_losses_are_means_over_the_steps_since_the_last_line(tmp_path):
    """After a resumption, which may come between two lines, and at the end as well."""

    def ones(model: nn.Module, batch: dict) -> dict:
        return {"loss": 0 * model(batch["x"]).sum() + 1}

    for n_steps in (15, 27):
        settings = LoopSettings(n_steps, log_every=10, n_workers=0)
        train(small(), ones, points, settings, recipe="test", folder=tmp_path, report=len)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    logged = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    assert logged == [(10, 1), (15, 1), (20, 1), (27, 1)]


def test_what_validates_is_moved_to_where_the_network_is(tmp_path):
    class Elsewhere:
        def to(self, device: torch.device) -> torch.Tensor:
            return torch.ones(2, 3, device=device)

    def validate(model: nn.Module, batches) -> dict:
        (batch,) = batches
        assert not model.training
        return {"mean": float(batch["x"].mean()), "n": float(model(batch["x"]).numel())}

    train(
        small(),
        squares,
        points,
        LoopSettings(2, n_workers=0),
        recipe="test",
        folder=tmp_path,
        kept=[{"x": Elsewhere()}],
        validate=validate,
        report=len,
    )
    row = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert (row["val_mean"], row["val_n"]) == (1, 2)


def test_the_generators_of_gpus_are_saved_and_taken_up(tmp_path, monkeypatch):
    state, taken_up = torch.arange(16, dtype=torch.uint8), []
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [state])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(
        torch.cuda, "set_rng_state", lambda new, number: taken_up.append((new.tolist(), number))
    )
    learn(LoopSettings(n_steps=2, n_workers=0), tmp_path)
    learn(LoopSettings(n_steps=3, n_workers=0), tmp_path)
    assert taken_up == [(state.tolist(), 0)]


def test_checkpoints_without_the_generators_of_gpus_are_taken_up(tmp_path):
    learn(LoopSettings(n_steps=2, n_workers=0), tmp_path)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del saved["cuda_generators"]
    torch.save(saved, tmp_path / "checkpoint.pt")
    lines: list[str] = []
    learn(LoopSettings(n_steps=3, n_workers=0), tmp_path, report=lines.append)
    assert lines[0] == "resumed at step 2"


@pytest.mark.parametrize(
    ("changed", "recipe", "named"),
    [
        ({"seed": 1}, "test", "seed=0"),
        ({"learning_rate": 1.0}, "test", "learning_rate"),
        ({}, "another", "recipe='test'"),
    ],
)
def test_a_run_of_another_kind_is_not_resumed(tmp_path, changed, recipe, named):
    learn(LoopSettings(n_steps=2, n_workers=0), tmp_path)
    with pytest.raises(ParameterError, match=named):
        learn(LoopSettings(n_steps=4, n_workers=0, **changed), tmp_path, recipe)


def test_a_run_may_go_on_and_cool_down(tmp_path):
    learn(LoopSettings(n_steps=2, n_workers=0), tmp_path)
    longer = learn(LoopSettings(n_steps=4, cooldown_steps=2, n_workers=0), tmp_path)
    at_once = learn(LoopSettings(n_steps=4, cooldown_steps=2, n_workers=0), tmp_path / "b")
    for a, b in zip(longer.parameters(), at_once.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_after_a_cooldown_the_average_is_what_it_came_to(tmp_path):
    """The more so the longer it was; without one it lags behind."""

    def lag(cooldown_steps: int) -> float:
        settings = LoopSettings(60, cooldown_steps, ema_decay=0.98, warm_up_steps=1, n_workers=0)
        averaged = learn(settings, tmp_path / str(cooldown_steps)).state_dict()
        saved = torch.load(tmp_path / str(cooldown_steps) / "checkpoint.pt", weights_only=True)
        return sum(float((averaged[k] - saved["model"][k]).norm()) for k in averaged)

    assert lag(40) < 0.1 * lag(0)


def test_a_network_that_counts_its_batches_is_averaged(tmp_path):
    """The counter of a batch norm is no number that could lie between two others."""
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1))
    settings = LoopSettings(n_steps=3, n_workers=0)
    average = train(model, squares, points, settings, recipe="x", folder=tmp_path, report=len)
    assert average[0].num_batches_tracked == 3


def test_every_parameter_has_one_optimiser_and_matrices_have_muon():
    network = HearingNetwork(len(LABELS))
    muon, adamw = optimisers(network, learning_rate=1e-3, weight_decay=0.0)
    moved = [p for o in (muon, adamw) for group in o.param_groups for p in group["params"]]
    assert sorted(map(id, moved)) == sorted(map(id, network.parameters()))
    by_adamw = {id(p) for group in adamw.param_groups for p in group["params"]}
    assert id(network.detect.logits.weight) in by_adamw
    assert id(network.queries.labels) in by_adamw
    assert id(network.listener.blocks[0].gather.weight) not in by_adamw


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6)])
def test_what_is_nearly_orthogonal_has_the_singular_vectors_of_the_matrix(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    diagonal = u.T @ nearest_orthogonal(matrix) @ vh.T
    assert (diagonal.diagonal() - 1).abs().max() < 0.4
    assert (diagonal - torch.diag(diagonal.diagonal())).abs().max() < 1e-5


def test_muon_moves_a_kernel_as_the_matrix_that_it_is():
    kernel = nn.Parameter(torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0)))
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    for parameter in (kernel, matrix):
        parameter.grad = parameter.detach().clone()
        Muon([parameter], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(kernel.flatten(1), matrix)


def test_what_is_returned_is_an_average_that_has_learned(tmp_path):
    torch.manual_seed(0)
    settings = LoopSettings(
        n_steps=400, learning_rate=0.03, weight_decay=0, warm_up_steps=1, n_workers=0
    )
    model = nn.Linear(3, 1)
    average = train(model, squares, points, settings, recipe="x", folder=tmp_path, report=len)
    assert squares(average, points(np.random.default_rng(1)))["loss"] < 0.05
    assert not torch.equal(average.weight, model.weight)
