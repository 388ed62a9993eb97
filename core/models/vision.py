"""A vision-language model of transformers on this machine: it is shown pictures and frames of clips.

Words of a reply are bound to the text by the grammar, places to the media that are shown
(`core.places`). Pictures are prepared with PIL, so that torchvision is not needed.
"""

from __future__ import annotations

import codecs
import time
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.errors import ModelError, shown
from core.grammar import reply_grammar, reply_strings
from core.models.guides import Guide, Hints, Vocabulary, vocabulary_of
from core.models.local import loading_options, read_written
from core.models.pictures import surfaces_of, title
from core.parsing import TokenProbability
from core.places import place_rules
from core.ports import Decoding, Prompting, Reads, Shown, Step, Suggested, share_step
from core.prompts import SIGHT, fill_prompt
from core.samples import Sample
from core.schema import Schema


def load_vision_model(location: str, *, quantisation: str = "none") -> tuple[Any, Any]:
    """(model, processor). `location`: a folder or a hub's id; `quantisation`: "none" is bf16."""
    options = loading_options(location, quantisation)
    from transformers import AutoModelForImageTextToText

    try:
        processor = _load_processor(location)
        model = AutoModelForImageTextToText.from_pretrained(location, **options)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, TypeError) as problem:
        raise ModelError(f"the model {location} could not be loaded: {problem}") from problem
    if not getattr(processor, "chat_template", None):
        raise ModelError(
            f"the model {location} has no chat template, so nobody knows how it is shown pictures: "
            "take one that was tuned to follow instructions"
        )
    model.train(False)
    return model, processor


class VisionBackend:
    """Suggests with a loaded vision-language model, a sample at a time."""

    reads: tuple[Reads, ...] = ("text", "image", "video")

    def __init__(
        self,
        model_id: str,
        model: Any,
        processor: Any,
        *,
        prompt_version: str = SIGHT,
        decoding: Decoding | None = None,
    ) -> None:
        self.model_id = model_id
        self.prompting = Prompting(prompt_version)
        self.decoding = decoding or Decoding()
        self._model, self._processor = model, processor
        text = model.config.get_text_config()
        self._context = int(getattr(text, "max_position_embeddings", 4096))
        size = model.get_output_embeddings().weight.shape[0]
        self._vocabulary: Vocabulary = vocabulary_of(processor.tokenizer, size)

    def suggest(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        *,
        decoding: Decoding | None = None,
        prompting: Prompting | None = None,
        on_step: Step | None = None,
    ) -> list[Suggested]:
        """One suggestion a sample, in order; only the pictures of one are in memory."""
        decoding, prompting = decoding or self.decoding, prompting or self.prompting
        said = []
        for number, sample in enumerate(samples):
            step = share_step(on_step, number, 1, len(samples))
            said.append(self._suggest(sample, schema, decoding, prompting, step))
            if on_step is not None:
                on_step((number + 1) / len(samples))
        return said

    def fits(self, sample: Sample, schema: Schema, *, prompting: Prompting | None = None) -> bool:
        """Whether the model reads the sample, pictures, prompt and reply included, in one piece."""
        prompting = prompting or self.prompting
        pictures = prompting.look(sample.id)
        length = self._inputs(sample, schema, prompting, pictures)["input_ids"].shape[1]
        return bool(length + self.decoding.max_new_tokens <= self._context)

    def close(self) -> None:
        """Give the memory back."""
        self._model = None

    def _suggest(
        self,
        sample: Sample,
        schema: Schema,
        decoding: Decoding,
        prompting: Prompting,
        step: Step | None,
    ) -> Suggested:
        if self._model is None:
            raise ModelError(f"the model {self.model_id} was closed: ask for it again")
        pictures = prompting.look(sample.id)
        inputs = self._inputs(sample, schema, prompting, pictures)
        length = inputs["input_ids"].shape[1]
        if length + decoding.max_new_tokens > self._context:
            raise ModelError(
                f"the sample {shown(sample.id)} is too long for {self.model_id}: {length} tokens with its "
                f"pictures, and the model reads {self._context}, prompt and reply included"
            )
        began = time.monotonic()
        guide = self._guide(sample, schema, pictures, decoding)
        seed = zlib.crc32(f"{decoding.seed}:{sample.id}".encode("utf-8", "surrogatepass"))
        writer = _Writer(guide, self._vocabulary, decoding, seed, step)
        self._write(inputs, writer, decoding)
        reply, probabilities = self._text(writer)
        return read_written(
            reply, probabilities, sample, schema, is_free=decoding.is_free, is_cut=not guide.is_over,
            prompt_version=prompting.version, seconds=time.monotonic() - began,
        )  # fmt: skip

    def _inputs(
        self, sample: Sample, schema: Schema, prompting: Prompting, pictures: Sequence[Shown]
    ) -> Any:
        """The tokens of the prompt and the pixels, as the model takes them."""
        from PIL import Image

        examples = prompting.examples.get(sample.id, ())
        prompt = fill_prompt(prompting.version, schema, sample, examples=examples)
        content: list[dict[str, str]] = []
        for picture in pictures:
            content += [{"type": "text", "text": title(picture)}, {"type": "image"}]
        content.append(
            {"type": "text", "text": "\n" * bool(pictures) + prompt.prefix + prompt.rest}
        )
        asked = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        images = [Image.fromarray(picture.pixels) for picture in pictures]
        return self._processor(
            text=[asked], images=[images] if images else None, return_tensors="pt"
        )

    def _guide(
        self, sample: Sample, schema: Schema, pictures: Sequence[Shown], decoding: Decoding
    ) -> Guide:
        if decoding.is_free:
            return self._vocabulary.guide(None, Hints())
        text, surfaces = sample.text or "", surfaces_of(pictures)
        grammar = reply_grammar(schema, text, places=place_rules(surfaces))
        names, pieces = reply_strings(schema, text)
        return self._vocabulary.guide(
            grammar, Hints(names, [*pieces, *(f"{s.media} " for s in surfaces)])
        )

    def _write(self, inputs: Any, writer: _Writer, decoding: Decoding) -> None:
        import torch
        from transformers import LogitsProcessorList

        inputs = inputs.to(self._model.device)
        for name, value in inputs.items():
            if torch.is_floating_point(value):
                inputs[name] = value.to(self._model.dtype)
        with torch.inference_mode():
            self._model.generate(
                **inputs, max_new_tokens=decoding.max_new_tokens, do_sample=False, num_beams=1,
                logits_processor=LogitsProcessorList([writer]), eos_token_id=self._vocabulary.eos,
                pad_token_id=self._vocabulary.eos,
            )  # fmt: skip

    def _text(self, writer: _Writer) -> tuple[str, list[TokenProbability]]:
        """The reply, and which of its characters each token wrote."""
        read = codecs.getincrementaldecoder("utf-8")("replace")
        reply, pieces = "", []
        spelled = self._vocabulary.spell(writer.tokens)
        for raw, probability in zip(spelled, writer.probabilities, strict=True):
            start, reply = len(reply), reply + read.decode(raw)
            pieces.append(TokenProbability(start, max(len(reply), start + 1), probability))
        return reply + read.decode(b"", final=True), pieces


class _Writer:
    """Chooses each token as the guide allows; transformers only has to take it."""

    def __init__(
        self, guide: Guide, vocabulary: Vocabulary, decoding: Decoding, seed: int, step: Step | None
    ) -> None:
        self.tokens: list[int] = []
        self.probabilities: list[float] = []
        self._guide, self._vocabulary, self._decoding = guide, vocabulary, decoding
        self._chance = np.random.default_rng(seed)
        self._forced: list[int] = []
        self._step = step

    def __call__(self, _tokens: Any, scores: Any) -> Any:
        if self._step is not None:
            self._step(min(1.0, len(self.tokens) / self._decoding.max_new_tokens))
        token = self._next(scores)
        scores = scores.new_full(scores.shape, float("-inf"))
        scores[:, token] = 0.0
        return scores

    def _next(self, scores: Any) -> int:
        if not self._forced and not self._guide.is_over:
            self._forced = list(self._guide.advance())
        if self._forced:
            return self._keep(self._forced.pop(0), 1.0)
        if self._guide.is_over:
            return self._vocabulary.eos
        allowed = self._guide.allowed
        logits = scores[0].float().cpu().numpy()
        ids = np.arange(len(logits)) if allowed is None else allowed
        at, probability = _choose(logits[ids], self._decoding, self._chance)
        token = int(ids[at])
        self._guide.take(token)
        if token == self._vocabulary.eos:
            return token
        return self._keep(token, probability)

    def _keep(self, token: int, probability: float) -> int:
        self.tokens.append(token)
        self.probabilities.append(probability)
        return token


# ---------------------------------------------------------------- private


def _choose(logits: Any, decoding: Decoding, chance: np.random.Generator) -> tuple[int, float]:
    """Which of some tokens, and how probable the model says it is."""
    sure = np.exp(logits - logits.max())
    sure /= sure.sum()
    if decoding.temperature <= 0:
        at = int(logits.argmax())
        return at, float(sure[at])
    heated = np.exp((logits - logits.max()) / decoding.temperature)
    heated /= heated.sum()
    order = np.argsort(-heated)
    most = order[: int(np.searchsorted(np.cumsum(heated[order]), decoding.top_p)) + 1]
    at = int(chance.choice(most, p=heated[most] / heated[most].sum()))
    return at, float(sure[at])


def _load_processor(location: str) -> Any:
    """The processor with PIL behind it; one that would want torchvision for clips does without that
    part, since frames are shown as pictures."""
    import transformers
    from transformers.models.auto import processing_auto

    auto: Any = transformers
    try:
        return auto.AutoProcessor.from_pretrained(location, backend="pil")
    except ImportError:
        kind = auto.AutoConfig.from_pretrained(location).model_type
        modules: Any = processing_auto
        name = modules.PROCESSOR_MAPPING_NAMES.get(kind)
        known = modules.processor_class_from_name(name) if isinstance(name, str) else None
        if known is None:
            raise

    def arguments(cls: Any, *_places: Any, **_options: Any) -> list[Any]:
        makers: dict[str, Callable[[], Any]] = {
            "image_processor": lambda: auto.AutoImageProcessor.from_pretrained(
                location, backend="pil"
            ),
            "tokenizer": lambda: auto.AutoTokenizer.from_pretrained(location),
            "video_processor": lambda: None,
        }
        return [makers[name]() for name in cls.get_attributes()]

    def accept(self: Any, name: str, value: Any) -> Any:
        if name == "video_processor":
            return type(value)
        return known.check_argument_for_proper_class(self, name, value)

    without_clips: Any = type(
        known.__name__, (known,),
        {
            "_get_arguments_from_pretrained": classmethod(arguments),
            "check_argument_for_proper_class": accept, "__init__": known.__init__,
        },
    )  # fmt: skip
    return without_clips.from_pretrained(location)
