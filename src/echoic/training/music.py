"""Procedural music for training, composed here and rendered by the fluidsynth program.

A piece is a key, a mode, a tempo, a metre and a chord progression, over which parts play by the
rule of their role (melody, chords, arpeggio, bass, drums). The aim is not beauty but variety of
pitch, timbre, rhythm and density, with labels and licence beyond doubt.

    compose(rng) -> a Standard MIDI File -> render() -> a waveform -> render_collection() -> FLAC
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
import soxr
from mido import Message, MetaMessage, MidiFile, MidiTrack
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from echoic.checks import check_positive
from echoic.errors import AudioError, MissingExtraError, ParameterError
from echoic.outputs import fresh_file
from echoic.training.composition import (
    DRUM_KITS,
    FAMILIES,
    Note,
    Song,
    draw_cast,
    draw_song,
    play_drums,
)

TICKS_PER_BEAT = 480
_TIMEOUT_S = 600
DRUM_CHANNEL = 9  # "channel 10", counted from 1
SYNTH_RATE = 44100  # Hz, that of the soundfont's samples: fluidsynth has no anti-alias filter
LOW_CUT_HZ = 20.0  # some pads of the usual soundfont have more DC offset than signal
SILENCE = 1e-3  # of the peak (−60 dB): lower samples at the start are leading silence
SOUNDFONT_VARIABLE = "ECHOIC_SOUNDFONT"
SOUNDFONTS = tuple(
    Path(folder, name)
    for folder in ("/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/local/share/soundfonts")
    for name in ("FluidR3_GM.sf2", "default-GM.sf2", "default.sf2")
)


def compose(rng: np.random.Generator, *, duration_s: float) -> bytes:
    """Compose one piece.

    Args:
        rng: Random generator; the same state gives the same bytes.
        duration_s: Length of the file; no note ends later.

    Returns:
        A Standard MIDI File, format 1: a track with tempo and metre, then one for each part.

    Raises:
        ParameterError: duration_s is not a positive number below an hour.

    Example:
        >>> midi = compose(np.random.default_rng(0), duration_s=4.0)
        >>> midi[:4]
        b'MThd'
    """
    if not 0 < duration_s < 3600:
        raise ParameterError(f"duration_s must be above 0 and below 3600, not {duration_s}")
    beat_us = round(60e6 / np.exp(rng.uniform(np.log(50), np.log(190))))  # 50 to 190 a minute
    end_beats = duration_s * 1e6 / beat_us
    end_tick = int(end_beats * TICKS_PER_BEAT)
    song = draw_song(rng, end_beats)
    cast = draw_cast(rng)
    one_program = len({family for family, _ in cast}) == 1
    cents, loose_beats = rng.normal(0, 12), rng.choice([0.0, 0.01, 0.025])
    parts: list[tuple[int, int, list[Note]]] = []  # channel, program, notes
    for channel, (family, role) in enumerate(cast):
        programs, low, high = FAMILIES[family]
        program = parts[0][1] if parts and one_program else int(rng.choice(programs))
        parts.append((channel, program, role(rng, song, low, high)))
    if not cast or (len(cast) > 1 and not one_program and rng.random() < 0.6):
        parts.append((DRUM_CHANNEL, int(rng.choice(DRUM_KITS)), play_drums(rng, song)))
    first = min((note.start for _, _, notes in parts for note in notes), default=0.0)
    midi = MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    tempo = MetaMessage("set_tempo", tempo=beat_us)
    metre = MetaMessage("time_signature", numerator=song.beats_per_bar, denominator=4)
    midi.tracks.append(MidiTrack([tempo, metre, MetaMessage("end_of_track", time=end_tick)]))
    for channel, program, notes in parts:
        late = [_played(rng, song, note, first, loose_beats) for note in notes]
        bend = 0 if channel == DRUM_CHANNEL else int(np.clip(np.floor(40.96 * cents), -8192, 8191))
        midi.tracks.append(_track(rng, late, channel, program, bend, end_tick))
    content = BytesIO()
    midi.save(file=content)
    return content.getvalue()


def _played(rng: np.random.Generator, song: Song, note: Note, first: float, loose: float) -> Note:
    """The note as performed: relative to the first note, with swing, accent and jitter."""
    swung = song.swing if abs(note.start % 1 - 0.5) < 1e-6 else 0.0
    accent = 1.0 if note.start % song.beats_per_bar < 0.1 else 0.88
    start = max(0.0, note.start - first + swung + loose * rng.normal())
    return note._replace(start=start, velocity=note.velocity * accent * rng.uniform(0.88, 1.0))


def _track(
    rng: np.random.Generator,
    notes: list[Note],
    channel: int,
    program: int,
    bend: int,
    end_tick: int,
) -> MidiTrack:
    level = rng.uniform(55, 127)
    volume, reverb, chorus = (int(rng.integers(*span)) for span in ((64, 121), (0, 100), (0, 60)))
    vibrato = int(rng.integers(10, 80)) if rng.random() < 0.3 else 0
    controls = {1: vibrato, 7: volume, 91: reverb, 93: chorus}
    settings = [
        Message("control_change", channel=channel, control=control, value=value)
        for control, value in controls.items()
    ]
    settings.append(Message("program_change", channel=channel, program=program))
    settings.append(Message("pitchwheel", channel=channel, pitch=bend))
    played: list[tuple[int, Message]] = []  # a note ends before another begins at the same tick
    for note in notes:
        start = round(note.start * TICKS_PER_BEAT)
        end = min(start + max(1, round(note.length * TICKS_PER_BEAT)), end_tick)
        velocity = int(np.clip(level * note.velocity, 20, 127))
        if start < end:
            of_note = {"channel": channel, "note": note.pitch}
            played.append((start, Message("note_on", velocity=velocity, **of_note)))
            played.append((end, Message("note_off", **of_note)))
    played.sort(key=lambda event: (event[0], event[1].type, event[1].note))
    track, now = MidiTrack(settings), 0
    for tick, message in [*played, (end_tick, MetaMessage("end_of_track"))]:
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def find_soundfont() -> Path:
    """Path of the soundfont: that in ECHOIC_SOUNDFONT, or the first in the usual places.

    Raises:
        MissingExtraError: there is none.
    """
    named = os.environ.get(SOUNDFONT_VARIABLE)
    for path in (Path(named),) if named else SOUNDFONTS:
        if path.is_file():
            return path
    where = f"at {SOUNDFONT_VARIABLE}={named}" if named else f"in {SOUNDFONTS[0].parent}"
    raise MissingExtraError(f"no soundfont {where}: apt install fluid-soundfont-gm")


def render(
    midi: bytes, *, sample_rate: int = 16000, duration_s: float | None = None
) -> NDArray[np.float32]:
    """Render a MIDI file with fluidsynth; the same bytes give the same samples.

    Args:
        midi: A Standard MIDI File.
        sample_rate: Hz. The synth runs at 44.1 kHz, since it would alias at less.
        duration_s: Truncate or zero-pad to this length; None keeps all of fluidsynth's output.

    Shape:
        -> (time,), mono, peak 0.5, starting at the first audible sample.

    Raises:
        MissingExtraError: fluidsynth or its soundfont is not installed.
        AudioError: fluidsynth fails or takes too long, or nothing sounds.
        ParameterError: duration_s is not above 0.
    """
    if duration_s is not None:
        check_positive(duration_s=duration_s)
    program = shutil.which("fluidsynth")
    if program is None:
        raise MissingExtraError("no fluidsynth program found: apt install fluidsynth")
    soundfont = find_soundfont()
    with tempfile.TemporaryDirectory() as folder:
        score, wav, settings = (Path(folder, name) for name in ("in.mid", "out.wav", "settings"))
        score.write_bytes(midi)
        settings.touch()  # empty, in place of the user's settings
        options = ["-ni", "-q", "-f", str(settings), "-o", "synth.dynamic-sample-loading=1"]
        output = ["-r", str(SYNTH_RATE), "-T", "wav", "-O", "float", "-F", str(wav)]
        command = [program, *options, *output, str(soundfont), str(score)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise AudioError(f"fluidsynth has not finished within {_TIMEOUT_S} s") from error
        if done.returncode or not wav.is_file():
            reason = (done.stderr or done.stdout).strip().splitlines() or ["it gave no reason"]
            raise AudioError(f"fluidsynth failed ({done.returncode}): {reason[-1]}")
        stereo, _ = soundfile.read(wav, dtype="float32", always_2d=True)
    low_cut = butter(2, LOW_CUT_HZ, "highpass", fs=SYNTH_RATE, output="sos")
    wave = soxr.resample(sosfilt(low_cut, stereo.mean(axis=1)), SYNTH_RATE, sample_rate)
    peak = np.abs(wave).max(initial=0.0)
    if peak < 1e-6:
        raise AudioError("fluidsynth rendered silence: the MIDI file has no audible note")
    wave = wave[np.argmax(np.abs(wave) > SILENCE * peak) :]
    if duration_s is not None:
        wave = wave[: round(duration_s * sample_rate)]
        wave = np.pad(wave, (0, round(duration_s * sample_rate) - len(wave)))
    return np.asarray(wave * (0.5 / np.abs(wave).max()), dtype=np.float32)


def render_collection(
    folder: Path,
    *,
    n_pieces: int,
    duration_s: float = 12.0,
    seed: int,
    sample_rate: int = 16000,
) -> list[Path]:
    """Write pieces as 16-bit FLAC named ``{seed}-{index:04d}.flac``, two at a time.

    Each piece depends on (seed, index) and its duration alone. Existing files are kept, so
    that an interrupted run can be resumed.

    Returns:
        The paths of all pieces, in order of index.

    Raises:
        MissingExtraError: fluidsynth or its soundfont is not installed.
        ParameterError: n_pieces or seed is below 0, or duration_s out of range.
    """
    if n_pieces < 0 or seed < 0:
        raise ParameterError(f"n_pieces and seed must be at least 0, not {n_pieces} and {seed}")
    folder.mkdir(parents=True, exist_ok=True)

    def write(index: int) -> Path:
        path = folder / f"{seed}-{index:04d}.flac"
        if path.is_file():
            return path
        midi = compose(np.random.default_rng([seed, index]), duration_s=duration_s)
        wave = render(midi, sample_rate=sample_rate, duration_s=duration_s)
        with fresh_file(path, force=True) as part:
            soundfile.write(part, wave, sample_rate, subtype="PCM_16", format="FLAC")
        return path

    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(write, range(n_pieces)))
