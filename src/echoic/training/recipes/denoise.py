"""The recipe of the network of `echoic denoise`: speech against everything else."""

from __future__ import annotations

from echoic.training.noisy_speech import NoisySpeechSettings
from echoic.training.separating import SeparatorRecipe

N_STEPS = 40_000
RECIPE = SeparatorRecipe(
    name="denoise",
    kind="speech",
    task="speech: its share of every band",
    speaking=NoisySpeechSettings(),
    listener_of="hear",
    unintelligibility=6.0,  # 0.017 of ESTOI weigh as much as 1 dB
)
run = RECIPE.run
