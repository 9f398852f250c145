"""A tiny model of transformers: probabilities and replies against transformers' own."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from toolkit.errors import UsageError
from toolkit.llm import Failure, Request

pytestmark = pytest.mark.slow
transformers = pytest.importorskip("transformers")

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def build(folder: Path, *, template: str | None = None, seed: int = 0) -> str:
    """A two-layer model with a tokenizer of single letters."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<end>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(["the cat sat on the mat"], trainer)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    fast.chat_template = template
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        eos_token_id=0,
        bos_token_id=0,
        initializer_range=0.4,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(tmp_path_factory.mktemp("models") / "tiny")


def log_p(folder: str, text: str) -> dict[str, float]:
    """Log-probabilities of the next token, by transformers alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        last = network(**tokenizer(text, return_tensors="pt")).logits[0, -1].log_softmax(-1)
    # Halves of a character are spelled alike: the likeliest counts, so it comes last.
    return {tokenizer.decode([token]): float(last[token]) for token in last.argsort().tolist()}


def test_first_token_log_probabilities_are_exact(connect, folder) -> None:
    (reply,) = connect("local", model=folder).ask([Request.of("the cat", max_tokens=1, top_logprobs=10**6)])
    expected = log_p(folder, "the cat")
    assert reply.logprobs.keys() == expected.keys()
    assert all(reply.logprobs[token] == pytest.approx(expected[token], abs=1e-5) for token in expected)
    few = Request.of("the cat", max_tokens=1, top_logprobs=5, temperature=0.0)
    likeliest = list(connect("local", model=folder).ask([few])[0].logprobs)
    assert 2 <= len(likeliest) <= 5
    assert likeliest == sorted(expected, key=expected.__getitem__)[: -len(likeliest) - 1 : -1]


def test_without_chance_it_writes_what_transformers_writes(connect, folder) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    prompt = tokenizer("the cat", return_tensors="pt")
    written = network.generate(**prompt, max_new_tokens=20, do_sample=False, pad_token_id=0)[0]
    expected = tokenizer.decode(written[prompt.input_ids.shape[1] :], skip_special_tokens=True)
    (reply,) = connect("local", model=folder).ask([Request.of("the cat", max_tokens=20, temperature=0.0)])
    assert reply.text == expected and reply.usage.input == prompt.input_ids.shape[1]
    assert reply.stop == ("end" if written[-1] == 0 else "length") and reply.usd == 0


def test_samples_follow_the_distribution_and_can_be_drawn_again(connect, folder, tmp_path) -> None:
    asked = [Request.of("the", max_tokens=1, sample=sample) for sample in range(200)]
    state = torch.get_rng_state()
    first = connect("local", model=folder).ask(asked)
    again = connect("local", model=folder, journal=tmp_path / "again.jsonl", workers=1).ask(asked)
    assert [reply.text for reply in first] == [reply.text for reply in again]
    assert torch.equal(state, torch.get_rng_state())
    expected = log_p(folder, "the")
    token = max((token for token in expected if token != "<end>"), key=expected.__getitem__)
    p, n = np.exp(expected[token]), len(asked)
    drawn = sum(reply.text == token for reply in first)
    assert abs(drawn - n * p) < 4 * np.sqrt(n * p * (1 - p))


def test_a_chat_template_is_used_where_there_is_one(connect, tmp_path) -> None:
    folder = build(tmp_path / "chat", template=TEMPLATE)
    request = Request(
        messages=(("user", "a"), ("assistant", "b"), ("user", "c")), system="s", max_tokens=1, top_logprobs=5
    )
    (reply,) = connect("local", model=folder).ask([request])
    expected = log_p(folder, "<system>s<user>a<assistant>b<user>c<assistant>")
    assert all(value == pytest.approx(expected[token], abs=1e-5) for token, value in reply.logprobs.items())


def test_other_weights_are_another_model(connect, folder, tmp_path) -> None:
    other = build(tmp_path / "tiny", seed=1)
    one, two = connect("local", model=folder), connect("local", model=other)
    assert one.model.startswith("tiny@") and two.model.startswith("tiny@") and one.model != two.model


def test_what_it_cannot_do_is_said(connect, folder, tmp_path, monkeypatch) -> None:
    client = connect("local", model=folder)
    (too_long,) = client.ask([Request.of("x" * 200)])
    assert isinstance(too_long, Failure) and "the model takes 64" in too_long.reason
    with pytest.raises(UsageError, match="cannot force a schema"):
        client.ask([Request.of("x", schema={})])
    with pytest.raises(UsageError, match="cannot be loaded"):
        connect("local", model=str(tmp_path)).ask([Request.of("x")])
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UsageError, match=r"pip install -e '.\[local-llm\]'"):
        connect("local", model=folder)
