"""Synthetic sounds and soundscapes with ground truth.

Modules: `tones` (tone, complex, clicks, sweep), `noises`, `vowels` (formant vowels), `textures`
(rain, fire, waves, wind), `babble`, `sources` (clock, bell, siren), `machines` (engine, chainsaw,
helicopter), `calls` (dog, rooster, baby, sneeze), built from `syllables`, `music`, `room`
(reverberation), `soundscape` (mixtures of clips, with stems and true events), `dsp` (signal
processing shared by all of these).

Every sound is a float32 array (time,), at any sample rate from 8 to 192 kHz. Functions that use
randomness take a `numpy.random.Generator`; the same seed gives the same sound. Tones, noises,
vowels, textures, babble and music are scaled to an RMS (`level_dbfs`); clicks, plucked strings,
sources, machines and calls to a peak (`peak_dbfs`).
"""

from echoic.events import Event
from echoic.synthesis.babble import babble
from echoic.synthesis.calls import baby_cry, dog_bark, rooster, sneeze
from echoic.synthesis.machines import chainsaw, engine, helicopter
from echoic.synthesis.music import music, pluck
from echoic.synthesis.noises import (
    band_noise,
    coloured_noise,
    modulated_noise,
    pink_noise,
    white_noise,
)
from echoic.synthesis.room import reverberate, room_response
from echoic.synthesis.soundscape import Clip, Soundscape, compose
from echoic.synthesis.sources import bell, clock_tick, siren
from echoic.synthesis.textures import fire, rain, sea_waves, wind
from echoic.synthesis.tones import click_train, harmonic_complex, sweep, tone
from echoic.synthesis.vowels import VOWELS, formants_hz, vowel

__all__ = [
    "VOWELS",
    "Clip",
    "Event",
    "Soundscape",
    "babble",
    "baby_cry",
    "band_noise",
    "bell",
    "chainsaw",
    "click_train",
    "clock_tick",
    "coloured_noise",
    "compose",
    "dog_bark",
    "engine",
    "fire",
    "formants_hz",
    "harmonic_complex",
    "helicopter",
    "modulated_noise",
    "music",
    "pink_noise",
    "pluck",
    "rain",
    "reverberate",
    "room_response",
    "rooster",
    "sea_waves",
    "siren",
    "sneeze",
    "sweep",
    "tone",
    "vowel",
    "white_noise",
    "wind",
]
