"""A model of several runs: the mean of what their adapters change, scored as any run's is.

Models that were tuned from one base often lie in one valley, so that their mean is better than each of
them and no slower to ask (Wortsman et al. 2022, "Model soups", arXiv:2203.05482).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import RefusedError
from core.prompts import TUNED
from core.records import ENDED, RunRecord
from train.adapter import CONFIG, MANIFEST, WEIGHTS, checksum_base, manifest_of
from train.artefacts import check_model
from train.checkpoint import write_whole
from train.fitting import register_candidate, run_folder
from train.launch import default_launch
from train.recipes import recipe_from_dict
from train.services import Services


def add_average(services: Services, run_ids: Sequence[int], *, sweep: str | None = None) -> int:
    """Write down a run that averages the models of others, which may still be under way; returns its
    id.

    Raises `RefusedError` where there are not two of them, where one ended without a model, or where
    they are not of one collection and base.
    """
    runs = [services.store.runs.get(i) for i in sorted(set(run_ids))]
    if len(runs) < 2:
        raise RefusedError("a mean needs at least two runs: name another one")
    for run in runs:
        if run.model_id is None and run.state in ENDED:
            raise RefusedError(f"run {run.id} has no model ({run.state}): take one that has")
        for name in ("collection_id", "base_id"):
            if getattr(run, name) != getattr(runs[0], name):
                what = name.removesuffix("_id")
                raise RefusedError(
                    f"run {run.id} has another {what} than run {runs[0].id}: a mean needs one {what}"
                )
    return services.store.runs.add(
        runs[0].collection_id, base_id=runs[0].base_id, recipe=runs[0].recipe,
        launch=default_launch(), sweep=sweep, mean_of=[run.id for run in runs],
    )  # fmt: skip


def average_run(services: Services, run: RunRecord, *, say: Callable[[str], None]) -> None:
    """Make the mean of the models that a run names, and register it as the run's candidate."""
    members = [services.store.runs.get(i) for i in run.mean_of]
    for member in members:
        if member.model_id is None:
            raise RefusedError(
                f"run {member.id} has no model ({member.state}): let it end with one, then resume run "
                f"{run.id}"
            )
    models = [services.store.models.get(m.model_id or "") for m in members]
    say(f"averaging {', '.join(m.id for m in models)}")
    checked = [check_model(services, model) for model in models]
    manifests, location = [facts for facts, _ in checked], checked[0][1]
    snapshots = list(dict.fromkeys(str(m.get("snapshot")) for m in manifests))
    facts = manifest_of(
        recipe_from_dict(run.recipe), base=run.base_id, prompt_version=TUNED,
        base_sha256=checksum_base(location), snapshot=", ".join(snapshots),
        collection=run.collection_id, run=run.id, mean_of=[m.id for m in models],
        steps=sum(m.get("steps") or 0 for m in manifests),
    )  # fmt: skip
    folder = run_folder(services.home, run.id) / "adapter"
    write_whole(
        folder, lambda work: average_adapters([Path(m.location) for m in models], work),
        manifest=MANIFEST, facts=facts,
    )  # fmt: skip
    same = members[0].snapshot if len(snapshots) == 1 else {}
    data = {k: same[k] for k in ("hash", "samples", "by_language", "repeated") if k in same}
    services.store.runs.update(run.id, folder=str(folder.parent), snapshot={**run.snapshot, **data})
    register_candidate(services, run, folder, facts)


def average_adapters(folders: Sequence[Path], target: Path) -> None:
    """Write the mean of peft LoRA adapters into a folder.

    It is exact: beside each other, the factors of all give the mean of their products, so its rank
    is the sum of their ranks. Raises `RefusedError` where they do not adapt the same layers.
    """
    import numpy as np
    from safetensors.numpy import load_file, save_file

    settings = [json.loads((f / CONFIG).read_text(encoding="utf-8")) for f in folders]
    weights = [load_file(f / WEIGHTS) for f in folders]
    for folder, found in zip(folders, weights, strict=True):
        if found.keys() != weights[0].keys():
            raise RefusedError(
                f"the adapter in {folder} adapts other layers than the one in {folders[0]}: take runs "
                "with the same target_modules"
            )
    shares = [s["lora_alpha"] / s["r"] / len(folders) for s in settings]
    mean: dict[str, Any] = {}
    for name in weights[0]:
        if ".lora_A." in name:
            mean[name] = np.concatenate([w[name] for w in weights])
        else:
            scaled = [w[name] * np.float32(n) for w, n in zip(weights, shares, strict=True)]
            mean[name] = np.concatenate(scaled, axis=1)
    rank = sum(s["r"] for s in settings)
    save_file(mean, target / WEIGHTS, metadata={"format": "pt"})
    text = json.dumps(settings[0] | {"r": rank, "lora_alpha": rank}, indent=2) + "\n"
    (target / CONFIG).write_text(text, encoding="utf-8")
