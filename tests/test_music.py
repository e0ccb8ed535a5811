"""Procedural music: the MIDI that is composed, and its rendering by FluidSynth."""

from __future__ import annotations

import io
import shutil
import struct
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from echoic.errors import AudioError, MissingExtraError, ParameterError
from echoic.training import music

DURATION_S = 12.0


def _synth_is_here() -> bool:
    try:
        music.find_soundfont()
    except MissingExtraError:
        return False
    return shutil.which("fluidsynth") is not None


needs_synth = pytest.mark.skipif(
    not _synth_is_here(), reason="apt install fluidsynth fluid-soundfont-gm to run this test"
)


def parse(midi: bytes) -> mido.MidiFile:
    """A file as others read it; values that MIDI does not allow are refused."""
    file = mido.MidiFile(file=io.BytesIO(midi), clip=False)
    assert file.type == 1
    for track in file.tracks:  # one end_of_track, as the last message
        assert [m for m in track if m.type == "end_of_track"] == [track[-1]]
    return file


def ticks(track: mido.MidiTrack, kind: str) -> list[int]:
    """When the messages of a kind come."""
    times = np.cumsum([message.time for message in track])
    return [int(t) for t, m in zip(times, track, strict=True) if m.type == kind]


def compose(index: int, duration_s: float = DURATION_S) -> bytes:
    return music.compose(np.random.default_rng([3, index]), duration_s=duration_s)


@pytest.mark.parametrize("duration_s", [0.5, DURATION_S])
def test_notes_are_whole_and_within_duration_and_range(duration_s: float) -> None:
    for index in range(100):
        file = parse(compose(index, duration_s))
        (tempo,) = [m.tempo for m in file.tracks[0] if m.type == "set_tempo"]
        assert 50 <= 60e6 / tempo + 0.01 <= 190.02
        assert file.length <= duration_s
        starts = []
        for track in file.tracks:
            on = [m for m in track if m.type == "note_on"]
            off = [m for m in track if m.type == "note_off"]
            assert all(24 <= m.note <= 108 and m.velocity >= 20 for m in on)
            assert sorted(m.note for m in on) == sorted(m.note for m in off)
            starts += ticks(track, "note_on")
        assert starts
        assert min(starts) < file.ticks_per_beat / 4  # no leading silence


def test_same_seed_same_bytes_and_other_seeds_other_bytes() -> None:
    assert compose(0) == compose(0)
    assert len({compose(index) for index in range(50)}) == 50


def test_all_families_of_instruments_and_drums_are_heard() -> None:
    programs, n_drums, n_parts = set(), 0, set()
    for index in range(300):
        tracks = parse(compose(index, 2.0)).tracks[1:]
        changes = [m for track in tracks for m in track if m.type == "program_change"]
        programs |= {m.program for m in changes if m.channel != 9}
        n_drums += any(m.channel == 9 for m in changes)
        n_parts.add(len(tracks))
    assert {program // 8 for program in programs} == set(range(12)) | {13}
    assert 60 < n_drums < 240
    assert n_parts >= {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("duration_s", [0.0, -1.0, float("nan"), 1e9])
def test_compose_refuses_a_duration_out_of_range(duration_s: float) -> None:
    with pytest.raises(ParameterError, match=f"not {duration_s}"):
        compose(0, duration_s)


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(music.SOUNDFONT_VARIABLE, "nowhere.sf2")
    with pytest.raises(MissingExtraError, match=r"nowhere\.sf2: apt install fluid-soundfont-gm"):
        music.find_soundfont()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingExtraError, match="apt install fluidsynth"):
        music.render(b"")


@needs_synth
def test_render_is_deterministic_and_starts_at_once() -> None:
    midi = compose(1, 2.0)
    wave = music.render(midi, duration_s=2.0)
    assert wave.shape == (32000,)
    assert wave.dtype == np.float32
    assert np.abs(wave).max() == pytest.approx(0.5)
    assert np.abs(wave[:16]).max() > 1e-5
    np.testing.assert_array_equal(wave, music.render(midi, duration_s=2.0))


@needs_synth
def test_render_has_no_offset() -> None:
    warm_pad = bytes.fromhex("00c059 00903c64 8f00803c40 00ff2f00")  # its samples have a DC offset
    midi = b"MThd" + struct.pack(">IHHH", 6, 1, 1, 480)
    wave = music.render(midi + b"MTrk" + struct.pack(">I", len(warm_pad)) + warm_pad)
    power = np.abs(np.fft.rfft(wave)) ** 2
    below_10_hz = np.fft.rfftfreq(len(wave), 1 / 16000) < 10
    assert power[below_10_hz].sum() < 0.01 * power.sum()


@needs_synth
def test_render_refuses_what_is_no_music() -> None:
    with pytest.raises(AudioError, match="fluidsynth"):
        music.render(b"not a MIDI file")


@needs_synth
def test_collection_takes_up_where_it_stopped(tmp_path: Path) -> None:
    options = {"duration_s": 1.0, "seed": 5, "sample_rate": 8000}
    (first,) = music.render_collection(tmp_path, n_pieces=1, **options)
    before = first.stat().st_mtime_ns
    paths = music.render_collection(tmp_path, n_pieces=3, **options)
    assert [path.name for path in paths] == ["5-0000.flac", "5-0001.flac", "5-0002.flac"]
    assert sorted(tmp_path.iterdir()) == paths  # no partial files are left
    assert first.stat().st_mtime_ns == before
    for path in paths:
        sound = soundfile.info(path)
        assert (sound.frames, sound.samplerate, sound.subtype) == (8000, 8000, "PCM_16")
