"""Put adapters on a base model that stays in memory, and take them off without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.models.quiet import silence_adapters


class Carrier:
    """A base model, and the adapter that it carries now.

    What an adapter replaces is put aside, not computed back: without it the base is what it was, bit
    for bit. In 16 bits the adapter is added to the weights, so that decoding costs no more than the
    base; a base in 4 bits cannot take it in, and the adapter is computed beside each of its layers.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._adapter: Path | None = None
        self._modules: dict[str, Any] = {}
        self._tensors: dict[str, Any] = {}

    def carry(self, adapter: Path | None) -> bool:
        """Put this adapter on, or none; whether that changed anything. Raises `ModelError` where it
        does not fit, and the base stays bare."""
        if adapter == self._adapter:
            return False
        self._take_off()
        if adapter is not None:
            self._put_on(adapter)
        return True

    def _take_off(self) -> None:
        for name, module in self._modules.items():
            parent, _, child = name.rpartition(".")
            if getattr(self.model.get_submodule(parent), child) is not module:
                setattr(self.model.get_submodule(parent), child, module)
        for name, tensor in self._tensors.items():
            self.model.get_parameter(name).data = tensor
        self._adapter, self._modules, self._tensors = None, {}, {}

    def _put_on(self, adapter: Path) -> None:
        silence_adapters()
        from peft import PeftModel

        if not (adapter / "adapter_config.json").is_file():
            raise ModelError(
                f"the adapter {adapter} does not fit its base: it has no adapter_config.json"
            )
        self._modules = {name: module for name, module in self.model.named_modules() if name}
        self._tensors = {name: p.data for name, p in self.model.named_parameters()}
        try:
            carrying = PeftModel.from_pretrained(self.model, str(adapter), low_cpu_mem_usage=True)
            if not getattr(self.model, "is_quantized", False):
                carrying.merge_and_unload(safe_merge=True)
        except (OSError, ValueError, RuntimeError, KeyError) as problem:
            self._take_off()
            raise ModelError(f"the adapter {adapter} does not fit its base: {problem}") from problem
        now = dict(self.model.named_parameters())
        self._tensors = {
            name: tensor
            for name, tensor in self._tensors.items()
            if name not in now or now[name].data_ptr() != tensor.data_ptr()
        }
        self.model.train(False)
        self._adapter = adapter
