"""The recipe of the network of `echoic voices`: two talkers and the background."""

from __future__ import annotations

from echoic.training.noisy_speech import NoisySpeechSettings
from echoic.training.separating import SeparatorRecipe

N_STEPS = 40_000
RECIPE = SeparatorRecipe(
    name="voices",
    kind="talkers",
    task="two talkers and the background: their shares of every band",
    speaking=NoisySpeechSettings(
        n_talkers=2,
        shortest_crop=1.0,  # a talker alone need not be separated
        alone_probability=0.5,  # as the example of `attend --like`, processed first
        snr_db=(0.0, 25.0),
        n_noises=(0.8, 0.2),
        babble_probability=0.0,
    ),
    listener_of="denoise",
    n_blocks=4,  # assigning bands to talkers needs the past of both
)
run = RECIPE.run
