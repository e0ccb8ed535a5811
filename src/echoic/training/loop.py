"""The one training loop: plain torch, resumable, CPU or GPU, fixed last step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

Batch = dict[str, Tensor]
LossFunction = Callable[[nn.Module, Batch], dict[str, Tensor]]


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast to learn; the last step is the one that counts."""

    n_steps: int
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 3e-2
    warm_up_steps: int = 100
    clip_norm: float = 1.0
    seed: int = 0
    n_workers: int = 1
    checkpoint_every: int = 100
    log_every: int = 20


class EndlessExamples(IterableDataset[Batch]):
    """Batches without end: each depends only on the seed and its own number."""

    def __init__(
        self,
        draw_batch: Callable[[np.random.Generator, int], Batch],
        settings: LoopSettings,
        first_step: int,
    ) -> None:
        """Begin at a step, so that a resumed run meets what it would have met."""
        self.draw_batch = draw_batch
        self.settings = settings
        self.first_step = first_step

    def __iter__(self) -> Iterator[Batch]:
        """Each worker makes every n-th batch; the loader takes them in turn."""
        info = torch.utils.data.get_worker_info()
        worker, n_workers = (info.id, info.num_workers) if info else (0, 1)
        for step in range(self.first_step + worker, self.settings.n_steps, n_workers):
            rng = np.random.default_rng((self.settings.seed, step))
            yield self.draw_batch(rng, self.settings.batch_size)


def _learning_rate_factor(step: int, settings: LoopSettings) -> float:
    warm_up = min(1.0, (step + 1) / settings.warm_up_steps)
    return warm_up * 0.5 * (1 + float(np.cos(np.pi * step / settings.n_steps)))


def train(
    model: nn.Module,
    loss_function: LossFunction,
    draw_batch: Callable[[np.random.Generator, int], Batch],
    settings: LoopSettings,
    *,
    folder: Path,
    report: Callable[[str], None] = print,
) -> nn.Module:
    """Train to the last step, from the checkpoint in `folder` if there is one.

    Args:
        model: Trained in place and returned.
        loss_function: (model, batch) -> named scalars; "loss" is descended.
        draw_batch: (generator, batch size) -> tensors.
        settings: Steps, rates, seed.
        folder: Takes `checkpoint.pt` and `log.jsonl`.
        report: Called with one line now and then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _learning_rate_factor(step, settings)
    )
    checkpoint = folder / "checkpoint.pt"
    step = _load(checkpoint, model, optimiser, schedule, device)
    if step:
        report(f"resumed at step {step}")
    batches = DataLoader(
        EndlessExamples(draw_batch, settings, step),
        batch_size=None,
        num_workers=settings.n_workers,
        prefetch_factor=4 if settings.n_workers else None,
    )
    started, sums = time.monotonic(), dict[str, float]()
    with (folder / "log.jsonl").open("a") as log:
        for batch in batches:
            losses = loss_function(model, {k: v.to(device) for k, v in batch.items()})
            optimiser.zero_grad(set_to_none=True)
            losses["loss"].backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimiser.step()
            schedule.step()
            step += 1
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            if step % settings.log_every == 0:
                row = {name: round(value / settings.log_every, 4) for name, value in sums.items()}
                row |= {"step": step, "elapsed_s": round(time.monotonic() - started, 1)}
                log.write(json.dumps(row) + "\n")
                log.flush()
                report(" ".join(f"{name} {value}" for name, value in row.items()))
                sums.clear()
            if step % settings.checkpoint_every == 0 or step == settings.n_steps:
                _save(checkpoint, model, optimiser, schedule, step)
    return model


def _load(path: Path, model: nn.Module, optimiser: Any, schedule: Any, device: Any) -> int:
    """Take up what a checkpoint holds, and return its step; 0 where there is none."""
    if not path.exists():
        return 0
    saved = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(saved["model"])
    optimiser.load_state_dict(saved["optimiser"])
    schedule.load_state_dict(saved["schedule"])
    return int(saved["step"])


def _save(path: Path, model: nn.Module, optimiser: Any, schedule: Any, step: int) -> None:
    """Write beside, then rename: a checkpoint is whole or not there."""
    beside = path.with_suffix(".tmp")
    torch.save(
        {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "step": step,
        },
        beside,
    )
    beside.replace(path)
