"""Processors: streaming modules that perform a task with the output of a model.

`model` runs a card's network on the front end's frames and computes masks,
`masks` applies them, `listen` is ear and model in one pass; `detect`, `separate`
and `attend` are composed of these. Networks without labels estimate masks directly:
`unmix` applies them, for `denoise`, `voices` and `talker`. The pipeline handles files and folders.
"""

from echoic.processors.attend import Attend
from echoic.processors.denoise import Denoise
from echoic.processors.detect import Detect
from echoic.processors.listen import Listen
from echoic.processors.masks import ApplyMasks
from echoic.processors.model import Model, load_model
from echoic.processors.separate import Replay, Separate
from echoic.processors.talker import Talker
from echoic.processors.unmix import Unmix
from echoic.processors.voices import Voices

__all__ = [
    "ApplyMasks",
    "Attend",
    "Denoise",
    "Detect",
    "Listen",
    "Model",
    "Replay",
    "Separate",
    "Talker",
    "Unmix",
    "Voices",
    "load_model",
]
