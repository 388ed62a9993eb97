"""A model behind a server that speaks OpenAI's protocol: vLLM, llama.cpp, Ollama and others.

The chat endpoint is used, for base models too: it is the only one for which all three servers bind the
reply to a JSON schema. A server wraps the message in its model's chat template; for a base model it
wants one that gives the message as it is.
"""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx2

from core.errors import ModelError, shown
from core.models.pictures import data_url, title
from core.models.replies import LONGEST, read_suggestion
from core.models.server_client import Answer, Server, open_client, refusal, send
from core.parsing import TokenProbability, write_reply
from core.ports import Decoding, Prompting, Reads, Shown, Step, Suggested
from core.prompts import CHAT, fill_prompt
from core.reply_schema import object_reply, reply_schema
from core.samples import Sample
from core.schema import Schema, offered, without_retired

PARALLEL = 4  # requests at a time
CONTEXT = 4096  # tokens, where nobody says; what Ollama reads unless it is told otherwise
_TOKENS_A_PICTURE = 256  # what most servers make of one of a megapixel or less, at least
_BYTES_A_TOKEN = 2  # of a prompt in UTF-8: no tokenizer in use makes more tokens of ordinary text
_LOOK_EVERY = 0.25  # seconds between two looks whether the work is still wanted


class ServerBackend:
    """Suggests by asking a server, a few samples at a time."""

    def __init__(
        self,
        model_id: str,
        server: Server,
        name: str,
        *,
        context: int = CONTEXT,
        parallel: int = PARALLEL,
        prompt_version: str = CHAT,
        decoding: Decoding | None = None,
        reads: Sequence[str] = ("text",),
    ) -> None:
        self.model_id = model_id
        self.reads = cast(tuple[Reads, ...], tuple(reads))
        self.prompting = Prompting(prompt_version)
        self.decoding = decoding or Decoding()
        self._server, self._name = server, name
        self._context, self._parallel = context, parallel
        # What this server understands is found out as it refuses.
        self._gives_probabilities = True
        self._knows_json_schema = True

    def suggest(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        *,
        decoding: Decoding | None = None,
        prompting: Prompting | None = None,
        on_step: Step | None = None,
    ) -> list[Suggested]:
        """One suggestion a sample, in order; `on_step` may end it at any time, also while it waits."""
        ask = self._ask_all(
            samples, schema, decoding or self.decoding, prompting or self.prompting, on_step
        )
        return asyncio.run(ask)

    def fits(self, sample: Sample, schema: Schema, *, prompting: Prompting | None = None) -> bool:
        """Whether the model reads the sample in one piece, estimated on the safe side: a server does
        not tell how many tokens a text has."""
        text = self._prompt(sample, schema, prompting or self.prompting)
        tokens = len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN
        if "image" in self.reads:
            tokens += _TOKENS_A_PICTURE * len(prompting.look(sample.id) if prompting else ())
        return tokens + self.decoding.max_new_tokens <= self._context

    def close(self) -> None:
        """There is nothing to give back: connections live as long as one call."""

    async def _ask_all(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        decoding: Decoding,
        prompting: Prompting,
        on_step: Step | None,
    ) -> list[Suggested]:
        gate = asyncio.Semaphore(self._parallel)

        async def ask(client: httpx2.AsyncClient, sample: Sample) -> Suggested:
            async with gate:
                return await self._ask(client, sample, schema, decoding, prompting)

        async with open_client(self._server) as client:
            tasks = [asyncio.create_task(ask(client, sample)) for sample in samples]
            waiting = set(tasks)
            try:
                while waiting:
                    done, waiting = await asyncio.wait(
                        waiting, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED
                    )
                    for task in done:
                        task.result()
                    if on_step is not None:
                        on_step(1 - len(waiting) / len(tasks))
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        return [task.result() for task in tasks]

    async def _ask(
        self,
        client: httpx2.AsyncClient,
        sample: Sample,
        schema: Schema,
        decoding: Decoding,
        prompting: Prompting,
    ) -> Suggested:
        """One sample; one with nothing to find is not asked for."""
        pictures = prompting.look(sample.id) if "image" in self.reads else ()
        if not ((sample.text or "").strip() or pictures) or not offered(schema).types:
            return Suggested((), "[]", prompting.version)
        if not self.fits(sample, schema, prompting=prompting):
            raise ModelError(
                f"the sample {shown(sample.id)} may be too long for {self.model_id}, which reads "
                f"{self._context:,} tokens, prompt and reply included"
            )
        began = time.monotonic()
        body = {
            "model": self._name,
            "messages": [
                {"role": "user", "content": self._content(sample, schema, prompting, pictures)}
            ],
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "seed": zlib.crc32(f"{decoding.seed}:{sample.id}".encode("utf-8", "replace")) >> 1,
            "max_tokens": decoding.max_new_tokens,
            "stream": False,
        }
        wanted = None if decoding.is_free else reply_schema(schema, sample.text or "")
        answer = await self._send(client, body, wanted)
        reply, is_cut, probabilities = self._read(answer, sample)
        return read_suggestion(
            reply, sample, schema, prompt_version=prompting.version, probabilities=probabilities,
            is_cut=is_cut, seconds=time.monotonic() - began,
        )  # fmt: skip

    async def _send(
        self, client: httpx2.AsyncClient, body: Mapping[str, Any], wanted: Mapping[str, Any] | None
    ) -> Answer:
        """Ask with all that a server may understand, and with less where it refuses that."""
        while True:
            asked = dict(body)
            if self._gives_probabilities:
                asked |= {"logprobs": True, "top_logprobs": 1}
            if wanted is not None and self._knows_json_schema:
                form = {"name": "events", "strict": True, "schema": wanted}
                asked["response_format"] = {"type": "json_schema", "json_schema": form}
            elif wanted is not None:  # as llama-cpp-python has it
                asked["response_format"] = {"type": "json_object", "schema": wanted}
            answer = await send(
                client, self._server, "POST", "/chat/completions", asked, final=_REFUSABLE
            )
            is_newest = "json_schema" in asked.get("response_format", ())
            if answer.status == 200:
                return answer
            if is_newest and any(word in answer.words for word in _FORMS):
                self._knows_json_schema = False
            elif "logprobs" in asked and "logprobs" in answer.words:
                self._gives_probabilities = False
            else:
                return answer

    def _read(self, answer: Answer, sample: Sample) -> tuple[str, bool, list[TokenProbability]]:
        """The reply, whether the token limit cut it, and how probable its tokens were."""
        try:
            choice = answer.data["choices"][0]
            content, is_cut = choice["message"]["content"], choice.get("finish_reason") == "length"
        except (LookupError, TypeError, AttributeError) as problem:
            told = refusal(self._server, answer, name=self._name)
            raise ModelError(f"no suggestion for {shown(sample.id)}: {told}") from problem
        if not isinstance(content, str):
            return "", is_cut, []
        # Half a surrogate pair cannot be kept.
        reply = content[: LONGEST + 1].encode("utf-8", "replace").decode()
        return reply, is_cut, token_probabilities(reply, choice.get("logprobs"))

    def _content(
        self, sample: Sample, schema: Schema, prompting: Prompting, pictures: Sequence[Shown]
    ) -> str | list[dict[str, Any]]:
        """The message: the prompt, the pictures before it where there are some."""
        prompt = self._prompt(sample, schema, prompting)
        if not pictures:
            return prompt
        content: list[dict[str, Any]] = []
        for picture in pictures:
            content.append({"type": "text", "text": title(picture)})
            content.append({"type": "image_url", "image_url": {"url": data_url(picture)}})
        return [*content, {"type": "text", "text": prompt}]

    def _prompt(self, sample: Sample, schema: Schema, prompting: Prompting) -> str:
        """As `fill_prompt` does, with the replies of the examples in the form that binds the reply."""
        version = prompting.version
        asked = fill_prompt(version, schema, sample)
        parts = [asked.prefix]
        for example in prompting.examples.get(sample.id, ()):
            events = without_retired(schema, example.events or ())
            said = object_reply(write_reply(events, example.text or ""))
            parts.append(f"{fill_prompt(version, schema, example).rest}{said}\n\n")
        return "".join([*parts, asked.rest])


def token_probabilities(reply: str, said: Any) -> list[TokenProbability]:
    """Which characters of a reply each token wrote, and how probable the server says it was.

    Empty where it says nothing, or speaks of another text than the reply.
    """
    try:
        tokens = [(_bytes_of(t), math.exp(min(t["logprob"], 0.0))) for t in said["content"]]
    except (LookupError, TypeError, ValueError):
        return []
    whole, written = reply.encode(), b"".join(raw for raw, _ in tokens)
    at = written.find(whole)  # blanks and end signs around it are not part of the reply
    if at < 0 or any(math.isnan(p) for _, p in tokens):
        return []
    chars = [i for i, byte in enumerate(whole) if byte & 0xC0 != 0x80]  # where each begins
    found, start = [], -at
    for raw, probability in tokens:
        end = start + len(raw)
        if raw and end > 0 and start < len(whole):
            first = bisect_right(chars, max(0, start)) - 1
            found.append(TokenProbability(first, bisect_left(chars, end), probability))
        start = end
    return found


# ---------------------------------------------------------------- private

_FORMS = ("response_format", "json_schema")
_REFUSABLE = (*_FORMS, "logprobs")


def _bytes_of(token: Mapping[str, Any]) -> bytes:
    raw = token.get("bytes")
    return bytes(raw) if raw is not None else str(token["token"]).encode()
