"""Processors: streaming modules that do a job with what a model hears.

`model` walks a card's network along the front end's frames and gives masks,
`masks` applies them, `listen` is ear and model in one pass, `detect`, `separate`
and `attend` are composed of these. Networks that know no labels give masks at once:
`unmix` applies them, for `denoise`, `voices` and `talker`. Files and folders are the pipeline's.
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
