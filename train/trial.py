"""Trials while a run trains: the loss on dev, and Tr and Arg of a few of its samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.metrics import score
from core.ports import Decoding
from core.prompts import TUNED
from core.samples import Sample
from core.schema import Schema, without_retired
from train.examples import Example, make_examples
from train.loading import set_training
from train.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Measured:
    """What a trial found: the mean loss, and the paper's accuracies in per cent."""

    eval_loss: float | None = None
    tr: float | None = None
    arg: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run is tried on: examples for the loss, samples for the accuracies."""

    schema: Schema
    tokenizer: Any
    examples: Sequence[Example] = ()
    samples: Sequence[Sample] = ()
    beat: Callable[[], None] = field(default=lambda: None)  # called now and then while it lasts

    def measure(self, engine: Any) -> Measured:
        """Try the model as it is now. Every process computes its share of the loss; the leader
        alone lets the model write."""
        loss = engine.loss(self.examples) if self.examples else None
        self.beat()
        if not self.samples or not engine.can_write:
            return Measured(loss)
        set_training(engine.model, False)
        try:
            return replace(self._write(engine.model), eval_loss=loss)
        finally:
            set_training(engine.model, True)

    def _write(self, model: Any) -> Measured:
        from core.models.local import LocalBackend

        backend = LocalBackend(
            "in training", model.get_base_model(), self.tokenizer, prompt_version=TUNED,
            is_tuned=True, decoding=Decoding.greedy(),
        )  # fmt: skip
        said = backend.suggest(self.samples, self.schema, on_step=lambda _: self.beat())
        written = [replace(s, events=x.events) for s, x in zip(self.samples, said, strict=True)]
        overall = score(self.samples, written)["overall"]
        return Measured(None, overall["tr_accuracy"], overall["arg_accuracy"])


def prepare_trial(
    dev: Sequence[Sample],
    schema: Schema,
    tokenizer: Any,
    recipe: Recipe,
    *,
    beat: Callable[[], None] = lambda: None,
) -> Trial | None:
    """What a recipe's run is tried on, drawn from dev language by language in turn; None where it
    is not to be tried, or there is no dev sample."""
    known = [replace(s, events=without_retired(schema, s.events or ())) for s in dev]
    drawn = take_in_turn(known, max(recipe.eval_samples, recipe.scored_samples))
    if not recipe.evaluate_every or not drawn:
        return None
    examples, too_long = make_examples(drawn, schema, tokenizer, max_tokens=recipe.max_tokens)
    fitting = [s for s in drawn if s.id not in set(too_long)]
    return Trial(
        schema, tokenizer, examples[: recipe.eval_samples], fitting[: recipe.scored_samples], beat
    )


def take_in_turn(samples: Sequence[Sample], count: int) -> list[Sample]:
    """Up to `count` samples, one of each language in turn, each language's in their old order."""
    places: dict[str, int] = defaultdict(int)
    ranked = []
    for sample in samples:
        ranked.append((places[sample.language], sample.language, sample))
        places[sample.language] += 1
    return [s for _, _, s in sorted(ranked, key=lambda r: r[:2])[:count]]
