"""Many queries about one context: the context is read once, and no query sees another."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from toolkit.models.attention import CausalAttention, randomness_from
from toolkit.models.encoders import UNKNOWN
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds

# Numbers that the largest array may hold; more is not quicker, as it does not fit a processor's cache.
_NUMBERS_AT_ONCE = 2_000_000


class QueryAttention(CausalAttention):
    """Attention that, given a past, lets every trial look at the past and itself but at no other trial."""

    def forward(
        self, x: torch.Tensor, source: torch.Tensor, past: tuple[torch.Tensor, torch.Tensor] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
        """As :meth:`CausalAttention.forward`, with any number of trials beside a past."""
        if past is None:
            return super().forward(x, source, past)
        source, nats = self._limited(source)
        keys, values = (self._by_head(part) for part in self.keys_values(source).chunk(2, -1))
        queries = self._by_head(self.queries(x))
        if (window := self.capacity.attention_window) is not None:
            past = tuple(part[:, :, part.shape[2] + 1 - min(window, part.shape[2] + 1) :] for part in past)
        n_past = past[0].shape[2]
        if self.sharpening is not None:
            queries = queries * self._sharpness(1, n_past + 1).to(queries.dtype)
        queries = queries * queries.shape[-1] ** -0.5
        own = (queries * keys).sum(-1, keepdim=True)
        weights = torch.cat([queries @ past[0].transpose(-1, -2), own], -1).softmax(-1)
        read = weights[..., :n_past] @ past[1] + weights[..., n_past:] * values
        return self.output(read.transpose(1, 2).flatten(2)), (keys, values), nats


class QueryNetwork(MetaLearnerNetwork):
    """A network that answers any number of queries about a context as if each were the trial after it."""

    def __init__(self, network: MetaLearnerNetwork) -> None:
        super().__init__(network.config)
        for layer in self.layers:
            for name, part in layer.named_children():
                if isinstance(part, CausalAttention):
                    setattr(layer, name, _for_queries(part))
        weights = network.state_dict()
        self.to(network.read_out.weight).load_state_dict(weights)
        self.eval()

    @torch.no_grad()
    def answer(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        queries: torch.Tensor,
        *,
        n_classes: int | torch.Tensor,
        feature_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Log-probabilities of the class of every query.

        Parameters
        ----------
        x, y
            (contexts, points, features) and (contexts, points): what is known, in the order it is read.
        queries
            (contexts, queries, features): each is asked right after the context.
        n_classes, feature_mask
            As for :meth:`MetaLearnerNetwork.forward`.

        Returns
        -------
        (contexts, queries, classes), equal to what :meth:`forward` gives for the last trial of each
        context with the query behind it.
        """
        n_contexts, n_points, _ = x.shape
        n_queries = queries.shape[1]
        at_once = max(1, _NUMBERS_AT_ONCE // (self._widest(n_points) * max(n_queries, n_points)))
        counts = torch.as_tensor(n_classes).expand(n_contexts)
        masks = torch.ones(x.shape[-1], dtype=torch.bool) if feature_mask is None else feature_mask
        masks = masks.expand(n_contexts, -1)
        parts = (part.split(at_once) for part in (x, y, queries, counts, masks))
        return torch.cat([self._answer_group(*part) for part in zip(*parts, strict=True)])

    def _answer_group(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        queries: torch.Tensor,
        counts: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """:meth:`answer` for contexts that fit into memory together."""
        x, used, possible = self._inputs(x, counts, mask)
        queries, y = self._padded(queries, used), y.to(self.device)
        before = F.pad(x[:, :-1], (0, 0, 1, 0)), F.pad(y[:, :-1], (1, 0), value=UNKNOWN)
        first = torch.arange(x.shape[1], device=self.device) == 0
        # A network with a noisy memory is heard once; the seed keeps its answers the same.
        answers = []
        with randomness_from(Seeds(0).torch("noise of memory", str(self.device))):
            encoded = self.encoder(x, *before, first, used, possible, 0)
            _, _, past = self._answer(encoded, possible, None)
            at_once = max(1, _NUMBERS_AT_ONCE // (len(x) * self._widest(x.shape[1])))
            for some in queries.split(at_once, 1):
                encoded = self._encode_queries(some, x[:, -1:], y[:, -1:], used, possible, x.shape[1])
                answers.append(self._answer(encoded, possible, past)[0])
        return torch.cat(answers, 1)

    def _encode_queries(
        self,
        queries: torch.Tensor,
        last_x: torch.Tensor,
        last_y: torch.Tensor,
        used: torch.Tensor,
        possible: torch.Tensor,
        position: int,
    ) -> torch.Tensor:
        """Every query as the trial after the last of its context: (contexts, queries, width)."""
        n_queries = queries.shape[1]
        last_x, last_y, used, possible = (
            part.repeat_interleave(n_queries, 0) for part in (last_x, last_y, used, possible)
        )
        first = torch.zeros(1, dtype=torch.bool, device=self.device)
        alone = queries.flatten(0, 1)[:, None]
        encoded = self.encoder(alone, last_x, last_y, first, used, possible, position)
        return encoded[:, 0].unflatten(0, (-1, n_queries))

    def _widest(self, n_points: int) -> int:
        """Numbers that a trial takes in the largest array."""
        return max(self.config.feed_forward, 2 * self.config.width, self.config.n_heads * (n_points + 1))


def _for_queries(attention: CausalAttention) -> QueryAttention:
    return QueryAttention(
        attention.queries.in_features,
        attention.n_heads,
        dropout=attention.dropout,
        sharpened=attention.sharpening is not None,
        capacity=attention.capacity,
    )
