"""A language model on this machine, through Hugging Face transformers."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError
from toolkit.io import sha256_of_bytes, sha256_of_file
from toolkit.llm.messages import Request, Usage
from toolkit.llm.prices import FREE
from toolkit.llm.providers.base import Answer
from toolkit.llm.retrying import Rejected
from toolkit.seeds import Seeds

if TYPE_CHECKING:
    import torch


class Local:
    """Weights of a folder or of a name on the Hugging Face hub; on a GPU if there is one.

    A request decides its reply: sampling is seeded by its key, from the model's own distribution unless
    it names a temperature. Log-probabilities are those of the model, whatever the temperature. The name
    of a folder's model ends in a hash of its files, so that replies of different weights are never
    mixed up.
    """

    secret = ""
    price = FREE
    forces_schema = False

    def __init__(self, model: str | None = None, base_url: str | None = None) -> None:
        if not model:
            raise UsageError("the provider 'local' has no usual model.", fix="Give a folder as model=….")
        try:
            import transformers
        except ImportError:
            raise UsageError(
                "the provider 'local' needs transformers.", fix="Install it: pip install -e '.[local-llm]'"
            ) from None
        folder = Path(model)
        self._library, self._source = transformers, model
        self.model = f"{folder.resolve().name}@{_fingerprint(folder)}" if folder.is_dir() else model
        self._loaded: tuple[Any, Any] | None = None
        # One question at a time: a second one on the same device only slows both.
        self._lock = threading.Lock()

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """The reply, token by token."""
        if request.schema is not None:
            raise UsageError("the provider 'local' cannot force a schema.", fix="Ask without one.")
        with self._lock:
            ends = time.monotonic() + timeout_s
            tokenizer, network = self._load()
            prompt = self._encode(tokenizer, request)
            tokens: list[int] = []
            stop, logprobs = "length", None
            endings = _endings(tokenizer, network)
            for token, log_p in self._draw(network, prompt, request):
                if time.monotonic() > ends:
                    raise Rejected(f"no complete reply within {timeout_s:g} s; raise timeout_s.")
                if not tokens and logprobs is None and request.top_logprobs:
                    logprobs = _alternatives(tokenizer, log_p, token, request.top_logprobs)
                if token in endings:
                    stop = "end"
                    break
                tokens.append(token)
        usage = Usage(input=prompt.shape[1], output=len(tokens) + (stop == "end"))
        text = tokenizer.decode(tokens, skip_special_tokens=True)
        return Answer(self.model, text, stop, stop, usage, logprobs)

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            import torch

            device = "cuda" if torch.cuda.is_available() else "cpu"
            try:
                tokenizer = self._library.AutoTokenizer.from_pretrained(self._source)
                network = self._library.AutoModelForCausalLM.from_pretrained(
                    self._source, dtype="auto", use_safetensors=True
                )
            except (OSError, ValueError) as error:
                raise UsageError(
                    f"the model '{self._source}' cannot be loaded ({str(error)[:200]}).",
                    fix="Give the folder of a causal language model with safetensors weights.",
                ) from error
            self._loaded = tokenizer, network.to(device).eval()
        return self._loaded

    def _encode(self, tokenizer: Any, request: Request) -> torch.Tensor:
        """Token numbers of the prompt: (1, tokens)."""
        if tokenizer.chat_template:
            system = [{"role": "system", "content": request.system}] if request.system else []
            turns = [*system, *({"role": role, "content": text} for role, text in request.messages)]
            text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        else:
            parts = [request.system, *(text for _, text in request.messages)]
            text = "\n\n".join(part for part in parts if part)
        # A chat template has put the special tokens in already.
        return tokenizer(text, return_tensors="pt", add_special_tokens=not tokenizer.chat_template).input_ids

    def _draw(
        self, network: Any, prompt: torch.Tensor, request: Request
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Tokens of the reply with the log-probabilities they were drawn from: (vocabulary,)."""
        import torch

        longest = getattr(network.config, "max_position_embeddings", None)
        room = request.max_tokens if longest is None else min(request.max_tokens, longest - prompt.shape[1])
        if room <= 0:
            raise Rejected(f"the prompt has {prompt.shape[1]} tokens, the model takes {longest}.")
        device = network.device
        rng = Seeds(0).torch(request.key(self.model), device=device.type)
        # transformers gave its cache another name in version 5.
        name = "cache" if "cache" in inspect.signature(network.forward).parameters else "past_key_values"
        fed, cache = prompt.to(device), None
        for _ in range(room):
            with torch.inference_mode():
                out = network(input_ids=fed, use_cache=True, **{name: cache})
                log_p = out.logits[0, -1].float().log_softmax(-1)
                if request.temperature == 0:
                    fed = log_p.argmax().view(1, 1)
                else:
                    scaled = log_p / (request.temperature or 1.0)
                    fed = torch.multinomial(scaled.softmax(-1), 1, generator=rng).view(1, 1)
            cache = out[name]
            yield int(fed), log_p


def _endings(tokenizer: Any, network: Any) -> set[int]:
    """Tokens that end a reply."""
    of_model = network.generation_config.eos_token_id
    of_model = of_model if isinstance(of_model, list) else [of_model]
    return {token for token in (*of_model, tokenizer.eos_token_id) if token is not None}


def _alternatives(tokenizer: Any, log_p: torch.Tensor, chosen: int, n: int) -> dict[str, float]:
    """The ``n`` likeliest tokens and the chosen one, as text, with their log-probabilities."""
    likeliest = log_p.topk(min(n, len(log_p))).indices.tolist()
    known: dict[str, float] = {}
    for token in (*likeliest, chosen):
        # Tokens that are parts of one character are spelled alike; the likeliest comes first.
        known.setdefault(tokenizer.decode([token]), float(log_p[token]))
    return known


def _fingerprint(folder: Path) -> str:
    """Hash of the files of a model."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    listed = "\n".join(f"{path.name} {sha256_of_file(path)}" for path in files)
    return sha256_of_bytes(listed.encode())[:12]
