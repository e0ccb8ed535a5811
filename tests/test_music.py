"""Procedural music: the MIDI it composes, and what fluidsynth makes of it."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import NamedTuple

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


class Event(NamedTuple):
    tick: int
    kind: int  # high half of the status byte; 0xFF for a meta event
    channel: int  # of a meta event, its type
    data: bytes


def parse(midi: bytes) -> tuple[int, list[list[Event]]]:
    """Ticks per beat, and the events of each track; every byte must be accounted for."""
    magic, size, form, n_tracks, ticks_per_beat = struct.unpack(">4sIHHH", midi[:14])
    assert (magic, size, form) == (b"MThd", 6, 1)
    at, tracks = 14, []
    for _ in range(n_tracks):
        magic, size = struct.unpack(">4sI", midi[at : at + 8])
        assert magic == b"MTrk"
        tracks.append(parse_track(midi[at + 8 : at + 8 + size]))
        at += 8 + size
    assert at == len(midi)
    return ticks_per_beat, tracks


def parse_track(data: bytes) -> list[Event]:
    at, tick, events = 0, 0, []
    while at < len(data):
        delta = 0
        while data[at] & 128:
            delta, at = (delta | data[at] & 127) << 7, at + 1
        tick, at = tick + (delta | data[at]), at + 1
        status = data[at]
        if status == 0xFF:
            start, size = at + 3, data[at + 2]
            events.append(Event(tick, status, data[at + 1], data[start : start + size]))
        else:
            start, size = at + 1, 1 if status >> 4 == 0xC else 2
            assert status >= 0x80
            events.append(Event(tick, status >> 4, status & 15, data[start : start + size]))
        at = start + size
    assert at == len(data)
    assert [e for e in events if e[1:3] == (0xFF, 0x2F)] == events[-1:]  # one end, at the end
    return events


def compose(index: int, duration_s: float = DURATION_S) -> bytes:
    return music.compose(np.random.default_rng([3, index]), duration_s=duration_s)


@pytest.mark.parametrize("duration_s", [0.5, DURATION_S])
def test_notes_are_whole_and_within_duration_and_range(duration_s: float) -> None:
    for index in range(100):
        ticks_per_beat, tracks = parse(compose(index, duration_s))
        (tempo,) = [e.data for e in tracks[0] if e[1:3] == (0xFF, 0x51)]
        seconds_per_tick = int.from_bytes(tempo, "big") / 1e6 / ticks_per_beat
        assert 50 <= 60 / (seconds_per_tick * ticks_per_beat) + 0.01 <= 190.02
        starts = []
        for track in tracks:
            assert track[-1].tick * seconds_per_tick <= duration_s
            channel_events = [e for e in track if e.kind != 0xFF]
            assert all(byte < 128 for e in channel_events for byte in e.data)
            on = [e for e in channel_events if e.kind == 0x9]
            off = [e for e in channel_events if e.kind == 0x8]
            assert all(24 <= e.data[0] <= 108 and e.data[1] >= 20 for e in on)
            assert sorted(e.data[0] for e in on) == sorted(e.data[0] for e in off)
            starts += [e.tick for e in on]
        assert starts
        assert min(starts) < ticks_per_beat / 4  # no silence to begin with


def test_same_seed_same_bytes_and_other_seeds_other_bytes() -> None:
    assert compose(0) == compose(0)
    assert len({compose(index) for index in range(50)}) == 50


def test_all_families_of_instruments_and_drums_are_heard() -> None:
    programs, n_drums, n_parts = set(), 0, set()
    for index in range(300):
        tracks = parse(compose(index, 2.0))[1][1:]
        changes = [e for track in tracks for e in track if e.kind == 0xC]
        programs |= {e.data[0] for e in changes if e.channel != 9}
        n_drums += any(e.channel == 9 for e in changes)
        n_parts.add(len(tracks))
    assert {program // 8 for program in programs} == set(range(12)) | {13}
    assert 60 < n_drums < 240
    assert n_parts >= {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(("value", "data"), [(0, "00"), (127, "7f"), (128, "8100"), (480, "8360")])
def test_variable_length_is_that_of_the_standard(value: int, data: str) -> None:
    assert music._variable_length(value).hex() == data


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
    warm_pad = bytes.fromhex("00c059 00903c64 8f00803c40 00ff2f00")  # its samples have one
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
    assert sorted(tmp_path.iterdir()) == paths  # nothing half-written is left
    assert first.stat().st_mtime_ns == before
    for path in paths:
        sound = soundfile.info(path)
        assert (sound.frames, sound.samplerate, sound.subtype) == (8000, 8000, "PCM_16")
