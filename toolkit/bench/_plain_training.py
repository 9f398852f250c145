"""Meta-training as a first version is written: a long table, PyTorch's decoder, a loop over episodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from toolkit.models.attention import randomness_from
from toolkit.models.metalearner import NetworkConfig
from toolkit.seeds import Seeds
from toolkit.tasks.problems import Problems

HEADS, DROPOUT, LEARNING_RATE = 8, 0.1, 3e-4

Episodes = tuple[torch.Tensor, torch.Tensor, list[int]]
"""Inputs (episodes, trials, features + 1), targets (episodes, trials), and how many trials are real."""


def long_table(problems: Problems) -> pd.DataFrame:
    """One row a trial: ``task_id``, ``trial_id``, ``input`` as a list and ``target`` as text."""
    n_problems, trials, n_features = problems.x.shape
    return pd.DataFrame(
        {
            "task_id": np.repeat(np.arange(n_problems), trials),
            "trial_id": np.tile(np.arange(trials), n_problems),
            "input": problems.x.reshape(-1, n_features).tolist(),
            "target": [f"category {label}" for label in problems.y.flatten().tolist()],
        }
    )


class PlainTraining(nn.Module):
    """Two classes; the embedded trials are both target and memory of every layer, as in earlier work.

    Parameters
    ----------
    table
        See :func:`long_table`.
    size
        Width, layers and feed-forward.
    """

    def __init__(self, table: pd.DataFrame, n_episodes: int, size: NetworkConfig, *, seed: int) -> None:
        super().__init__()
        self.table, self.n_episodes, self.labels = table, n_episodes, sorted(table.target.unique())
        self.rng, self.generator = Seeds(seed).numpy("episodes"), Seeds(seed).torch("network")
        with randomness_from(self.generator):
            self.embedding = nn.Linear(len(table.input[0]) + 1, size.width)
            self.positions = nn.Embedding(int(table.trial_id.max()) + 1, size.width)
            self.drop = nn.Dropout(DROPOUT)
            layer = nn.TransformerDecoderLayer(
                size.width, HEADS, size.feed_forward, DROPOUT, batch_first=True
            )
            self.decoder = nn.TransformerDecoder(layer, size.n_layers)
            self.read_out = nn.Linear(size.width, 1)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)

    def step(self) -> torch.Tensor:
        """One step on episodes of the table; its loss."""
        tasks = self.rng.choice(self.table.task_id.unique(), self.n_episodes, replace=False)
        episodes = self.assemble(tasks)
        self.optimizer.zero_grad()
        with randomness_from(self.generator):
            loss = self.loss(episodes)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def assemble(self, tasks: Sequence[int] | np.ndarray) -> Episodes:
        """The table's rows of some tasks as padded tensors, in the table's order."""
        rows = self.table[self.table.task_id.isin(tasks)]
        positive = self.rng.choice(self.labels)
        inputs, targets = [], []
        for _, task in rows.groupby("task_id"):
            x = np.array(task.input.tolist())
            low, high = x.min(0), x.max(0)
            x = np.where(high > low, (x - low) / np.where(high > low, high - low, 1), 0.5)
            y = (task.target == positive).to_numpy()
            before = np.append(self.rng.integers(2), y[:-1])
            inputs.append(torch.tensor(np.column_stack([x, before]), dtype=torch.float32))
            targets.append(torch.tensor(y, dtype=torch.float32))
        lengths = [len(target) for target in targets]
        return pad_sequence(inputs, batch_first=True), pad_sequence(targets, batch_first=True), lengths

    def loss(self, episodes: Episodes) -> torch.Tensor:
        """Mean loss of all real trials."""
        inputs, targets, lengths = episodes
        logits = self(inputs)
        losses = [
            F.binary_cross_entropy_with_logits(logits[row, :trials], targets[row, :trials], reduction="none")
            for row, trials in enumerate(lengths)
        ]
        return torch.cat(losses).mean()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits (episodes, trials)."""
        trials = inputs.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(trials)
        embedded = self.drop(self.embedding(inputs) + self.positions(torch.arange(trials)))
        return self.read_out(self.decoder(embedded, embedded, mask, mask)).squeeze(-1)
