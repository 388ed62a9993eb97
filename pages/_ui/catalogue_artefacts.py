"""English words for what is handed out: exports of a model, cards of models and of data."""

from __future__ import annotations

ARTEFACTS: dict[str, str] = {
    "export.title": "Export",
    "export.form": "Form",
    "export.form.peft": "peft folder",
    "export.form.merged": "Full model",
    "export.form.gguf": "llama.cpp",
    "export.about.peft": "The adapter alone, to be loaded on its base with peft.",
    "export.about.merged": "Base and adapter in one, as safetensors. As large as the base.",
    "export.about.gguf": "The adapter as GGUF, to be loaded beside its base with llama.cpp.",
    "export.goes_to": "It will lie in {folder}",
    "export.replaces": "In {folder} since {time}, {size}. Another export takes its place.",
    "export.do": "Export",
    "export.failed": "The export as {form} failed. {why}",
    "export.card": "Download model card",
    "job.export": "Exporting {model}",
    "data.card": "Download data card",
    "data.leaks.one": "{n} sample left out: it repeats a held-out sample.",
    "data.leaks.other": "{n} samples left out: they repeat a held-out sample.",
    "data.leaks_kept.one": "{n} of its samples nearly repeats a held-out one: too much of what there is to "
    "leave out, so it was trained on. The scores flatter: hold out other texts.",
    "data.leaks_kept.other": "{n} of its samples nearly repeat a held-out one: too many to leave out, so "
    "they were trained on. The scores flatter: hold out other texts.",
    "data.too_long.one": "{n} sample left out: it is longer than the recipe's tokens.",
    "data.too_long.other": "{n} samples left out: they are longer than the recipe's tokens.",
    "data.repeated.one": "{n} repetition of a rare sample.",
    "data.repeated.other": "{n} repetitions of rare samples.",
    "plan.repeated.one": "Rare samples are repeated by {by}: {n} repetition an epoch.",
    "plan.repeated.other": "Rare samples are repeated by {by}: {n} repetitions an epoch.",
    "plan.by.language": "language",
    "plan.by.type": "event type",
    "plan.by.modality": "medium",
}
