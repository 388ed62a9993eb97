"""One optimiser step on one or many processes: an accelerate program's inside.

The loss of a step is the mean over all labelled tokens of its global batch, however many processes
and parts it passes through. The randomness of a step (dropout) is drawn from the seed, the step's
number and the process, so that a resumed run repeats an uninterrupted one exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import TrainingError
from train.adapter import WEIGHTS
from train.examples import Example, collate
from train.loading import set_training
from train.loss import frozen_head_loss
from train.order import GPU_PART_TOKENS, PART_TOKENS, split_step
from train.recipes import Recipe

MOMENTS = "optimiser.safetensors"
TOLERANCE = 0.02  # between our loss and the model's own, which bf16 logits round


class Engine:
    """A model with an adapter, its optimiser, and the processes that share the work."""

    def __init__(self, model: Any, recipe: Recipe) -> None:
        import torch
        from accelerate import Accelerator

        self._recipe = recipe
        self._accelerator = Accelerator(mixed_precision="no", cpu=not torch.cuda.is_available())
        self.model = model
        self.weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        optimiser = torch.optim.AdamW(
            self.weights.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay,
            betas=(recipe.adam_beta1, recipe.adam_beta2), eps=recipe.adam_epsilon,
        )  # fmt: skip
        self._part = PART_TOKENS if self._accelerator.device.type == "cpu" else GPU_PART_TOKENS
        self._pad = getattr(model.config, "pad_token_id", None) or 0
        self._objective, self._optimiser = self._accelerator.prepare(
            _make_objective(model, recipe), optimiser
        )

    @property
    def is_leader(self) -> bool:
        """Whether this process is the one that writes and tells."""
        return bool(self._accelerator.is_main_process)

    @property
    def can_write(self) -> bool:
        """Whether this process alone can let the model write: it leads, and has all of the model."""
        return self.is_leader and "FSDP" not in str(self._accelerator.distributed_type)

    def memory(self) -> int:
        """The bytes that this process holds now, or that its GPU held at most."""
        import psutil
        import torch

        if self._accelerator.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._accelerator.device))
        return int(psutil.Process().memory_info().rss)

    def step(self, examples: Sequence[Example], *, number: int, rate: float) -> float:
        """Do step `number` (from 1) at a learning rate; returns the loss of all processes."""
        import torch

        torch.manual_seed((self._recipe.seed * 1_000_003 + number) * 4096 + self._index)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        with no_memory_told(self._recipe):
            loss = self.gradients(examples)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is not a number at step {number} (learning rate {rate:g}): start again "
                    f"with a lower learning rate, {rate / 3:.0e} say. The model in use is untouched"
                )
            self._accelerator.clip_grad_norm_(
                list(self.weights.values()), self._recipe.max_grad_norm
            )
            self._optimiser.step()
            self._optimiser.zero_grad()
        return loss

    def gradients(self, examples: Sequence[Example]) -> float:
        """Add up the gradients of a step on every process; returns its loss."""
        labelled = sum(len(e.reply) for e in examples)
        parts = split_step(examples, processes=self._processes, tokens=self._part)
        total = 0.0
        for at, part in enumerate(parts):
            is_last = at == len(parts) - 1
            with nullcontext() if is_last else self._accelerator.no_sync(self._objective):
                loss = self._objective(**self._collate(part)) / labelled
                # Processes' gradients are averaged, and these are shares of one sum.
                self._accelerator.backward(loss * self._processes)
            total += float(loss.detach())
        return self._sum(total)

    def loss(self, examples: Sequence[Example]) -> float:
        """The mean loss of examples without dropout; nothing is learned."""
        import torch

        set_training(self.model, False)
        total = 0.0
        with torch.no_grad(), no_memory_told(self._recipe):
            for part in split_step(examples, processes=self._processes, tokens=self._part):
                total += float(self._objective(**self._collate(part)))
        set_training(self.model, True)
        return self._sum(total) / sum(len(e.reply) for e in examples)

    def agree(self, word: str) -> str:
        """The leader's word, on every process."""
        if self._processes == 1:
            return word
        from accelerate.utils import broadcast_object_list

        return str(broadcast_object_list([word])[0])

    def save(self, folder: Path) -> None:
        """Write the adapter as a peft folder, and the optimiser's moments beside it."""
        from safetensors.torch import save_file

        self.model.save_pretrained(str(folder), safe_serialization=True)
        state = self._optimiser.state
        moments = {
            f"{name}/{kind}": value.contiguous().cpu()
            for name, weight in self.weights.items()
            for kind, value in state[weight].items()
        }
        save_file(moments, str(folder / MOMENTS))

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; raises `TrainingError` where it is of another adapter."""
        from safetensors.torch import load_file

        self.load_weights(folder)
        moments = load_file(str(folder / MOMENTS))
        for name, weight in self.weights.items():
            self._optimiser.state[weight] = {
                kind: moments[f"{name}/{kind}"].to(weight.device if kind != "step" else "cpu")
                for kind in ("step", "exp_avg", "exp_avg_sq")
            }

    def load_weights(self, folder: Path) -> None:
        """Read the adapter alone; raises `TrainingError` where it is another one."""
        from peft import set_peft_model_state_dict
        from safetensors.torch import load_file

        tensors = load_file(str(folder / WEIGHTS))
        try:
            found: Any = set_peft_model_state_dict(self.model, tensors)
        except RuntimeError as problem:
            raise TrainingError(_other_adapter(folder, str(problem).splitlines()[-1])) from problem
        missing = [k for k in found.missing_keys if "lora_" in k]
        if missing or found.unexpected_keys:
            odd = (missing or found.unexpected_keys)[0]
            raise TrainingError(_other_adapter(folder, f"{odd} is not in both"))

    # ------------------------------------------------------------ private

    @property
    def _processes(self) -> int:
        return int(self._accelerator.num_processes)

    @property
    def _index(self) -> int:
        return int(self._accelerator.process_index)

    def _collate(self, part: Sequence[Sequence[Example]]) -> dict[str, Any]:
        """This process's share of a part; an empty one takes an example along that bears no loss."""
        mine = part[self._index]
        data = collate(mine or [replace(part[0][0])], pad=self._pad)
        if not mine:
            data["labels"].fill_(-100)
        return {k: v.to(self._accelerator.device) for k, v in data.items()}

    def _sum(self, value: float) -> float:
        import torch

        if self._processes == 1:
            return value
        whole = torch.tensor(value, dtype=torch.float64, device=self._accelerator.device)
        return float(self._accelerator.reduce(whole, "sum"))


def check_loss(model: Any, example: Example, recipe: Recipe) -> None:
    """Raise `TrainingError` unless our loss of an example is the one the model itself gives: some
    architecture may do more between its body and its logits than this trainer knows."""
    import torch

    objective = _make_objective(model, recipe)
    set_training(model, False)
    with torch.no_grad(), no_memory_told(recipe):
        data = collate([example], pad=0)
        data = {k: v.to(next(model.parameters()).device) for k, v in data.items()}
        ours = float(objective(**data)) / len(example.reply)
        with objective.precision():
            own = float(model(**data).loss)
    set_training(model, True)
    if abs(ours - own) > TOLERANCE * max(1.0, abs(own)):
        raise TrainingError(
            f"this model's loss is {own:.3f}, and the trainer computes {ours:.3f} for it: its output "
            "layer works in a way that Argus does not know, so it cannot be trained here"
        )


@contextmanager
def no_memory_told(recipe: Recipe) -> Iterator[None]:
    """Turn "out of memory", in whichever words, into a `TrainingError` that says what would help."""
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        told = str(problem)
        if isinstance(problem, RuntimeError) and not any(
            words in told for words in ("allocate memory", "out of memory", "bad allocation")
        ):
            raise
        raise TrainingError(
            f"there was too little memory for samples of up to {recipe.max_tokens} tokens: lower "
            "max_tokens, turn gradient_checkpointing on, or take a lower rank. The model in use is "
            "untouched"
        ) from problem


def _other_adapter(folder: Path, detail: str) -> str:
    return (
        f"the adapter in {folder} is not one of this base and recipe ({detail}): go on with the base, "
        "rank and target_modules that it was trained with, or start a new run"
    )


def _make_objective(model: Any, recipe: Recipe) -> Any:
    """The summed loss as a module, so that accelerate may wrap it as it wraps any model."""
    import torch

    class Objective(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def precision(self) -> Any:
            """What the model computes in."""
            device = next(model.parameters()).device.type
            narrow = recipe.compute_dtype == "bfloat16"
            return torch.autocast(device, torch.bfloat16, enabled=narrow)

        def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> Any:
            """Summed cross-entropy at the labelled positions, the only ones whose logits count."""
            base = self.model.get_base_model()
            head = base.get_output_embeddings()
            with self.precision():
                hidden = base.get_decoder()(
                    input_ids=input_ids, attention_mask=attention_mask, use_cache=False
                ).last_hidden_state[:, :-1]
                wanted = labels[:, 1:]
                at = wanted != -100
                return frozen_head_loss(
                    hidden[at], head.weight, wanted[at], bias=getattr(head, "bias", None),
                    softcap=getattr(base.config, "final_logit_softcapping", None),
                )  # fmt: skip

    return Objective()
