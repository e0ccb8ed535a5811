"""The sounds that echoic knows by name.

The ten of ESC-10 as its `meta.csv` spells them, speech and music. The order is
that of every network's outputs; what none of them names is the rest.
"""

LABELS = (
    "dog_bark",
    "rain",
    "sea_waves",
    "baby_cry",
    "clock_tick",
    "person_sneeze",
    "helicopter",
    "chainsaw",
    "rooster",
    "fire_crackling",
    "speech",
    "music",
)
REST = "rest"
