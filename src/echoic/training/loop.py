"""The training loop of all recipes: plain torch, resumable, CPU or GPU, shippable at any step.

The learning rate is constant after a warm-up, and what ships is an exponential moving average
of the weights: the schedule does not depend on the number of steps, so every checkpoint can be
evaluated. A run may end with `cooldown_steps` over which the learning rate falls to zero.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, IterableDataset

from echoic.errors import ParameterError
from echoic.outputs import fresh_file
from echoic.training.losses import mean_of
from echoic.training.muon import optimisers

Batch = dict[str, Tensor]
LossFunction = Callable[[nn.Module, Batch], dict[str, Tensor]]
DrawBatch = Callable[[np.random.Generator], Batch]
Validate = Callable[[nn.Module, Iterable[Batch]], dict[str, float]]


@dataclass(frozen=True)
class LoopSettings:
    """Settings of the training loop.

    Attributes:
        n_steps: Total number of steps, cooldown included.
        cooldown_steps: Final steps over which the learning rate falls to zero.
        ema_decay: Decay per step of the moving average of the weights.
        validate_every: Steps between validations.
        fine_tune: Whether to start from the shipped weights.
    """

    n_steps: int
    cooldown_steps: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    warm_up_steps: int = 200
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    seed: int = 0
    n_workers: int = 1
    checkpoint_every: int = 100
    validate_every: int = 500
    log_every: int = 50
    fine_tune: bool = False

    def identity(self) -> dict[str, Any]:
        """Settings that a resumed run must share: all but its end, workers and intervals."""
        left_out = {
            *("n_steps", "cooldown_steps", "n_workers"),
            *("checkpoint_every", "validate_every", "log_every"),
        }
        return {k: v for k, v in dataclasses.asdict(self).items() if k not in left_out}

    def command(self, recipe: str) -> str:
        """The command line of such a run.

        Example:
            >>> LoopSettings(n_steps=9, cooldown_steps=2).command("hear")
            'echoic train hear --steps 9 --seed 0 --cooldown 2'
            >>> LoopSettings(n_steps=9, learning_rate=5e-4, fine_tune=True).command("hear")
            'echoic train hear --steps 9 --seed 0 --rate 0.0005 --fine-tune'
        """
        command = f"echoic train {recipe} --steps {self.n_steps} --seed {self.seed}"
        if self.cooldown_steps:
            command += f" --cooldown {self.cooldown_steps}"
        if self.learning_rate != LoopSettings.learning_rate:
            command += f" --rate {self.learning_rate:g}"
        return command + (" --fine-tune" if self.fine_tune else "")


def calculates_in_bfloat16(device: torch.device) -> bool:
    """Whether the device has fast bfloat16 matrix products, about twice as fast as float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capable = torch.cpu.get_capabilities()
    return bool(capable.get("avx512_bf16") or capable.get("amx_bf16"))


class EndlessExamples(IterableDataset[Batch]):
    """A stream of batches, one per step; each depends only on the seed and its step."""

    def __init__(self, draw_batch: DrawBatch, settings: LoopSettings, first_step: int) -> None:
        """Start at a step, so that a resumed run draws the batches it would have drawn."""
        self.draw_batch = draw_batch
        self.settings = settings
        self.first_step = first_step

    def __iter__(self) -> Iterator[Batch]:
        """Each of n workers makes every n-th batch; the loader takes them in turn."""
        info = torch.utils.data.get_worker_info()
        worker, n_workers = (info.id, info.num_workers) if info else (0, 1)
        for step in range(self.first_step + worker, self.settings.n_steps, n_workers):
            yield self.draw_batch(np.random.default_rng((self.settings.seed, step)))


class Run:
    """A training run: network, average, optimisers and step, saved and restored together.

    Args:
        model: Trained in place.
        settings: Steps, rates, seed.
        recipe: Name of the recipe; a checkpoint of another one is refused.
        folder: Holds `checkpoint.pt`.

    Raises:
        ParameterError: the folder holds a run of another recipe or other settings.
    """

    def __init__(
        self, model: nn.Module, settings: LoopSettings, *, recipe: str, folder: Path
    ) -> None:
        """Restore the checkpoint in the folder, if there is one."""
        self.settings, self.model = settings, model
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._bfloat16 = calculates_in_bfloat16(self.device)
        self.model.to(self.device).train()
        self.average = AveragedModel(model, multi_avg_fn=self._blend, use_buffers=True)
        self.optimisers = optimisers(
            model, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.step = 0
        self._path = folder / "checkpoint.pt"
        self._identity = {"recipe": recipe, "optimiser": "muon", **settings.identity()}
        self._load()

    @torch.no_grad()
    def _blend(self, averages: Any, current: Any, n_averaged: Any) -> None:
        """Update the moving average, with a smaller decay while few steps are averaged.

        The average also gets shorter as the learning rate falls: otherwise it would keep the
        noise that the cooldown removes. Integer buffers (batch counts of norms) are copied.
        """
        if not averages[0].is_floating_point():
            torch._foreach_copy_(averages, current)
            return
        n = int(n_averaged)
        decay = min(1 - (1 - self.settings.ema_decay) / self._cooling(), (1 + n) / (10 + n))
        torch._foreach_lerp_(averages, current, 1 - max(decay, 0.0))

    def _cooling(self) -> float:
        """Factor of the learning rate: 1 until the cooldown begins, then falling to zero."""
        left = self.settings.n_steps - self.step
        return min(1.0, left / (self.settings.cooldown_steps + 1))

    def _rate(self) -> float:
        warm_up = min(1.0, (self.step + 1) / self.settings.warm_up_steps)
        return self.settings.learning_rate * warm_up * self._cooling()

    def precision(self) -> torch.autocast:
        """Autocast of matrix products to bfloat16 where that is fast; weights stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16)

    def on_device(self, batch: Batch) -> Batch:
        """Move a batch to the device of the network."""
        return {name: value.to(self.device) for name, value in batch.items()}

    def descend(self, losses: dict[str, Tensor]) -> None:
        """Take one optimiser step on losses["loss"].

        Raises:
            FloatingPointError: the gradient is not finite; weights and checkpoint are unchanged.
        """
        self.model.zero_grad(set_to_none=True)
        losses["loss"].backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        if not torch.isfinite(norm):
            found = {name: float(value) for name, value in losses.items()}
            raise FloatingPointError(f"step {self.step}: gradient {float(norm)}, losses {found}")
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self._rate()
        with self.precision():
            for optimiser in self.optimisers:
                optimiser.step()
        self.average.update_parameters(self.model)
        self.step += 1

    def save(self) -> None:
        """Write the checkpoint atomically."""
        state = {
            "identity": self._identity,
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "generator": torch.get_rng_state(),
            "cuda_generators": torch.cuda.get_rng_state_all(),
        }
        with fresh_file(self._path, force=True) as beside:
            torch.save(state, beside)

    def _load(self) -> None:
        if not self._path.exists():
            return
        saved = torch.load(self._path, map_location=self.device, weights_only=True)
        other = {
            name: value
            for name, value in self._identity.items()
            if saved["identity"].get(name) != value
        }
        if other:
            name, value = next(iter(other.items()))
            raise ParameterError(
                f"{self._path}: a run with {name}={saved['identity'].get(name)!r}, not {value!r}; "
                "give another folder"
            )
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        torch.set_rng_state(saved["generator"].cpu())
        states = saved.get("cuda_generators", [])  # older checkpoints have none
        for number, state in zip(range(torch.cuda.device_count()), states, strict=False):
            torch.cuda.set_rng_state(state.cpu(), number)
        self.step = int(saved["step"])


@torch.no_grad()
def mean_losses(
    losses: LossFunction, model: nn.Module, batches: Iterable[Batch]
) -> dict[str, float]:
    """The mean of every loss over batches, for recipes that validate by their losses alone."""
    return mean_of([losses(model, batch) for batch in batches])


def train(
    model: nn.Module,
    loss_function: LossFunction,
    draw_batch: DrawBatch,
    settings: LoopSettings,
    *,
    recipe: str,
    folder: Path,
    kept: Sequence[Batch] = (),
    validate: Validate = lambda model, batches: {},
    report: Callable[[str], None] = print,
) -> nn.Module:
    """Train to the last step, from the checkpoint in `folder` if there is one.

    Args:
        model: Trained in place.
        loss_function: (model, batch) -> named scalars; "loss" is minimised.
        draw_batch: Random generator -> named tensors.
        settings: Steps, rates, seed.
        recipe: Name of the recipe.
        folder: Folder of `checkpoint.pt` and `log.jsonl`.
        kept: Validation batches.
        validate: Called every `validate_every` steps and at the end, with the averaged network
            and `kept`, both on the device of the run; the values it returns are logged.
        report: Called with each line of progress.

    Returns:
        The averaged network, in evaluation mode.

    Raises:
        ParameterError: the folder holds a run of another recipe or other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    run = Run(model, settings, recipe=recipe, folder=folder)
    if run.step:
        report(f"resumed at step {run.step}")
    batches = DataLoader(
        EndlessExamples(draw_batch, settings, run.step),
        batch_size=None,
        num_workers=settings.n_workers,
        prefetch_factor=3 if settings.n_workers else None,
        # Its own generator: otherwise the loader draws its seed from the one that dropout uses.
        generator=torch.Generator().manual_seed(settings.seed),
    )
    started, rows = time.monotonic(), list[dict[str, float]]()
    with (folder / "log.jsonl").open("a") as log:

        def note(row: dict[str, float]) -> None:
            row = {name: round(value, 4) for name, value in row.items()}
            row |= {"step": run.step, "elapsed_s": round(time.monotonic() - started, 1)}
            log.write(json.dumps(row) + "\n")
            log.flush()
            report(" ".join(f"{name} {value}" for name, value in row.items()))

        for batch in batches:
            with run.precision():
                losses = loss_function(model, run.on_device(batch))
            run.descend(losses)
            rows.append({name: float(value.detach()) for name, value in losses.items()})
            is_last = run.step == settings.n_steps
            if run.step % settings.log_every == 0 or is_last:
                note(mean_of(rows))
                rows.clear()
            if run.step % settings.checkpoint_every == 0 or is_last:
                run.save()
            if run.step % settings.validate_every == 0 or is_last:
                found = validate(run.average.module.eval(), map(run.on_device, kept))
                note({f"val_{name}": value for name, value in found.items()})
    averaged: nn.Module = run.average.module
    return averaged.eval()
