"""`argus VERB`: one thin command a verb. Results go to standard output, all else to standard error.

Exit code 0, 1 on failure (with what went wrong and the remedy), 2 on wrong usage, 130 on Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ArgusError, CancelledError, FileError, InputError, shown
from storage.home import Home

if TYPE_CHECKING:
    from core.records import CollectionRecord
    from core.workflow import ImportResult
    from train.services import Services


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # JSON is UTF-8, whatever the terminal's language
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    parser = build_parser()
    arguments = parser.parse_args(argv)
    for name, value in vars(arguments).items():
        if value == "":  # else it would count as an option that was left out
            parser.error(f"{name.replace('_', '-')} is empty: give a value, or leave it out")
    try:
        code: int = arguments.verb(arguments)
        sys.stdout.flush()
    except CancelledError as problem:
        _tell(f"argus: {problem}")
        return 130
    except ArgusError as problem:
        _tell(f"argus: {problem}")
        return 1
    except KeyboardInterrupt:
        _tell("argus: stopped")
        return 130
    except BrokenPipeError:
        # Whoever read has enough. Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as problem:
        _tell(f"argus: the system refused: {problem}. Nothing that was stored before is lost")
        return 1
    return code


# ---------------------------------------------------------------- verbs


def init(arguments: argparse.Namespace) -> int:
    """Make an empty database, or bring the one that is there to this version. Safe to repeat."""
    root = str(_services().home.root)
    return _show(arguments, {"home": root}, f"ready: the database in {root}")


def demo(arguments: argparse.Namespace) -> int:
    """Load the demo collections: texts, and pictures, clips and sounds. Safe to repeat."""
    from core.plain import import_text, media_text, problems_text
    from train.demo import load_demo, load_media_demo

    services = _services()
    result = load_demo(services)
    media = load_media_demo(services) if arguments.media else None
    if media is not None:
        _tell(problems_text(media.problems, "the media demo"))
        _tell(media_text(media.missing, media.refused))
        _tell(import_text(media))
    return _show_import(arguments, result, "the demo file")


def import_(arguments: argparse.Namespace) -> int:
    """Import Argus JSONL ('-' reads standard input) with the media beside it, a folder, or a ZIP or
    TAR of files; M2E2, COCO and Label Studio too. All that is good comes in, if some is bad."""
    from core.plain import media_text, preview_text, problems_text
    from core.workflow import import_file, preview_import
    from train.media_import import import_bundle, preview_bundle
    from train.runs import throttled

    is_input = arguments.file == "-"
    if is_input and not arguments.collection:
        raise InputError("standard input has no name: say where to with --collection NAME")
    path = Path(arguments.file)
    name = "standard input" if is_input else path.name or path.resolve().name
    name = name.encode("utf-8", "replace").decode()
    collection = arguments.collection or _stem(path)
    data = sys.stdin.buffer.read() if is_input else b""
    services = _services()
    store, language = services.store, arguments.language
    if arguments.preview:
        if is_input:
            preview = preview_import(store, data, collection=collection, name=name)
        else:
            preview = preview_bundle(
                services, path, collection=collection, name=name, language=language
            )
        _tell(problems_text(preview.problems, name))
        _tell(media_text(preview.missing, preview.refused))
        _show(arguments, asdict(preview), preview_text(preview, name))
        return int(bool(preview.problems or preview.refused))
    extends, person = arguments.extend_schema, store.collections.person()
    if is_input:
        result = import_file(
            store, data, collection=collection, name=name, extend_schema=extends, person=person
        )
    else:
        result = import_bundle(
            services, path, collection=collection, name=name, language=language,
            extend_schema=extends, person=person, on_step=throttled(_tell_share, seconds=5),
        )  # fmt: skip
    return _show_import(arguments, result, name)


def export(arguments: argparse.Namespace) -> int:
    """Write what is reviewed as Argus JSONL ('-' writes to standard output), COCO boxes or tasks of
    Label Studio; --media puts pictures and clips beside it, --crops what its mentions show."""
    from core.preferences import preference_lines
    from core.workflow import export_lines
    from storage.files import write_lines

    if arguments.file == "-" and arguments.json:
        raise InputError("'-' writes the samples, which are JSON lines: leave --json out")
    services = _services()
    collection = _collection(services, arguments)
    name = collection.name
    if arguments.media or arguments.crops or arguments.form != "jsonl":
        if arguments.file == "-" or arguments.preferences:
            raise InputError("media, crops and other forms go to a file: name one")
        return _export_media(services, collection, arguments)
    read = preference_lines if arguments.preferences else export_lines
    lines = read(services.store, collection=name)
    if arguments.file == "-":
        sys.stdout.writelines(lines)
        return 0
    count = write_lines(Path(arguments.file), lines)
    what = "pairs" if arguments.preferences else "samples"
    found = {"collection": name, "file": arguments.file, what: count}
    said = "preference pairs" if arguments.preferences else "reviewed samples"
    text = f"wrote {count:,} {said} of {shown(name)} to {arguments.file}"
    return _show(arguments, found, text)


def _export_media(
    services: Services, collection: CollectionRecord, arguments: argparse.Namespace
) -> int:
    from train.media_export import export_samples

    done = export_samples(
        services, collection, Path(arguments.file), form=arguments.form,
        with_media=arguments.media, with_crops=arguments.crops,
    )  # fmt: skip
    _tell("\n".join(done.left_out[:50]))
    if len(done.left_out) > 50:
        _tell(f"… and {len(done.left_out) - 50:,} more (all of them with --json)")
    facts = {"collection": collection.name, "file": arguments.file, **asdict(done)}
    text = f"wrote {done.samples:,} reviewed samples of {collection.name!r} to {arguments.file}"
    text += f"; {done.media:,} media files" if arguments.media else ""
    text += f"; {done.crops:,} crops and clips" if arguments.crops else ""
    return _show(arguments, facts, text)


def suggest(arguments: argparse.Namespace) -> int:
    """Suggest events for samples, those that nobody has reviewed where --filter names no state;
    prints a line of Argus JSONL a sample."""
    from core.formats.argus_jsonl import write_line
    from core.queues import filter_from_words
    from train.suggest import suggest_samples

    wanted = filter_from_words(arguments.filter)
    services = _services()
    collection = _collection(services, arguments)
    for sample in suggest_samples(
        services, collection.id, wanted=wanted, model_id=arguments.model, limit=arguments.limit,
        say=_tell,
    ):  # fmt: skip
        sys.stdout.write(write_line(sample) + "\n")
        sys.stdout.flush()
    return 0


def train(arguments: argparse.Namespace) -> int:
    """Train an adapter on the reviewed samples, here and now. Ctrl-C keeps what was learned."""
    from train.forecast import check_forecast, foresee
    from train.launch import default_launch
    from train.recipes import Recipe, with_settings
    from train.registry import model_facts
    from train.runs import stop_gently, train_in_foreground

    settings = list(arguments.set)
    for option in ("per_language", "seed"):
        if getattr(arguments, option) is not None:
            settings.append(f"{option}={getattr(arguments, option)}")
    recipe = with_settings(Recipe.named(arguments.preset), settings)
    services = _services()
    collection = _collection(services, arguments)
    launch = default_launch()
    check_forecast(foresee(services, collection.id, recipe, launch=launch, base_id=arguments.model))
    stop_gently()

    def say(run: Any, point: Any, text: str) -> None:
        if point is None:
            _tell(text)
        elif point.step % 10 == 0 or point.step == run.total_steps:
            _tell(f"step {point.step} of {run.total_steps}, loss {point.loss:.3f}")

    model = train_in_foreground(services, collection.id, recipe, base_id=arguments.model, say=say)
    _show(arguments, model_facts(model), f"trained {model.id} on {model.base_id}")
    ended = services.store.runs.get(model.run_id) if model.run_id is not None else None
    if ended is not None and ended.state == "cancelled":
        raise CancelledError(ended.reason)
    return 0


def average(arguments: argparse.Namespace) -> int:
    """Make one model of several runs: the mean of their adapters. Evaluate and promote it as any other."""
    from train.averaging import add_average
    from train.registry import model_facts
    from train.runs import execute_here

    services = _services()
    run_id = add_average(services, arguments.run)
    model = execute_here(services, run_id, say=lambda _run, _point, text: _tell(text))
    names = ", ".join(map(str, arguments.run))
    return _show(arguments, model_facts(model), f"{model.id} is the mean of the runs {names}")


def evaluate(arguments: argparse.Namespace) -> int:
    """Score a model (the one in use, without --model) against the reviews of a split."""
    from core.plain import scores_text
    from train.evaluate import evaluate_model
    from train.registry import model_in_use
    from train.runs import throttled
    from train.snapshot import judged_split

    services = _services()
    collection = _collection(services, arguments)
    judged = judged_split(services, collection.id)
    if arguments.model:
        model = services.store.models.get(arguments.model)
    else:
        model = model_in_use(services, collection.id)
    found = evaluate_model(
        services,
        collection.id,
        split=arguments.split or ("test" if judged == "none" else judged),
        model=model,
        per_language=arguments.limit_per_language,
        on_step=throttled(lambda share: _tell(f"{share:.0%}"), seconds=5),
    )
    facts = {"model": found.model_id, "split": found.split, "samples": found.samples}
    title = f"{found.model_id} on the {found.split} split, {found.samples:,} samples"
    facts |= {part: found.scores[part] for part in ("overall", "by_language")}
    return _show(arguments, facts, scores_text(found.scores, title))


def compare_prompts(arguments: argparse.Namespace) -> int:
    """Score ways of asking a model (the one in use, without --model) on dev; * is the best of each
    language."""
    from core.plain import comparison_text
    from train.comparing import compare_here
    from train.comparison import comparison_facts, use_best
    from train.registry import model_in_use
    from train.runs import throttled

    services = _services()
    collection = _collection(services, arguments)
    if arguments.model:
        model = services.store.models.get(arguments.model)
    else:
        model = model_in_use(services, collection.id)
    found = compare_here(
        services, collection.id, model, per_language=arguments.limit_per_language,
        with_free=arguments.free,
        on_step=throttled(lambda share: _tell(f"{share:.0%}"), seconds=5),
    )  # fmt: skip
    if arguments.use:
        use_best(services, collection.id, model.id, person=services.store.collections.person())
    title = f"{model.id} on the dev split, {found[0].evaluation.samples:,} samples"
    facts = comparison_facts(found)
    return _show(arguments, facts, comparison_text(facts, title))


def promote(arguments: argparse.Namespace) -> int:
    """Put a model in use, unless it scores lower: then --reason is needed. --back goes back."""
    from train.promotion import check_candidate
    from train.registry import model_facts, model_in_use, promote, roll_back, score_missing

    services = _services()
    collection = _collection(services, arguments)
    person = services.store.collections.person()
    ident = arguments.model or arguments.model_id
    if arguments.back:
        model = roll_back(services, collection.id, person=person)
    elif ident:
        named = services.store.models.get(ident)
        in_use = model_in_use(services, collection.id)
        check_candidate(named, collection.id, in_use_id=in_use.id)  # before minutes of scoring
        score_missing(services, collection.id, ident, say=_tell)
        model = promote(
            services, collection.id, ident, person=person, reason=arguments.reason or ""
        )
    else:
        raise InputError("name the model to promote (`argus models` lists them), or give --back")
    return _show(
        arguments, model_facts(model), f"{model.id} is in use for {shown(collection.name)} now"
    )


def models(arguments: argparse.Namespace) -> int:
    """List the models with their newest scores, * beside one in use. --add and --add-server register."""
    from core.plain import models_text
    from train.register import register_model, register_server
    from train.registry import list_models

    services = _services()
    if arguments.add:
        register_model(
            services, arguments.add, quantisation="nf4" if arguments.nf4 else "none",
            task=arguments.task,
        )  # fmt: skip
    if arguments.add_server:
        register_server(
            services, arguments.add_server, name=arguments.name or "", context=arguments.context,
            key_variable=arguments.key_variable or "", reads_pictures=arguments.pictures,
        )  # fmt: skip
    only = _collection(services, arguments) if arguments.collection else None
    listed = list_models(services, only)
    return _show(arguments, listed, models_text(listed))


def card(arguments: argparse.Namespace) -> int:
    """Print a model's card as Markdown: what it is, was trained on and scores."""
    from train.artefacts import write_card

    services = _services()
    only = _collection(services, arguments).id if arguments.collection else None
    model = services.store.models.get(arguments.model)
    sys.stdout.write(write_card(services, model, collection_id=only))
    return 0


def export_model(arguments: argparse.Namespace) -> int:
    """Write an adapter for use elsewhere, with its card, into a folder that is new or empty."""
    from train.artefacts import export_model

    services = _services()
    model = services.store.models.get(arguments.model)
    folder = export_model(services, model, Path(arguments.folder), form=arguments.form)
    found = {"model": model.id, "form": arguments.form, "folder": str(folder)}
    return _show(arguments, found, f"wrote {model.id} to {folder}")


def score(arguments: argparse.Namespace) -> int:
    """Score predicted events against gold ones, two files of Argus JSONL. Needs no database."""
    from core.plain import scores_text
    from core.workflow import score_files

    gold, pred = arguments.gold, arguments.pred
    scores = score_files(_read(gold), _read(pred), gold_name=gold, pred_name=pred)
    return _show(arguments, scores, scores_text(scores, f"{pred} against {gold}"))


def doctor(arguments: argparse.Namespace) -> int:
    """Look at this machine: what is missing, and the remedy."""
    from train.doctor import examine

    checks = examine(Home.from_environment(), port=arguments.port)
    lines = [
        f"{c.state:9}{c.name}: {c.message}" + (f" → {c.remedy}" if c.remedy else "") for c in checks
    ]
    _show(arguments, [asdict(c) for c in checks], "\n".join(lines))
    return int(any(c.state == "problem" for c in checks))


def sweep(arguments: argparse.Namespace) -> int:
    """Remove the pictures, clips and sounds that no sample has any more, and what was made of them."""
    count = _services().store.media.sweep()
    return _show(arguments, {"removed": count}, f"{count:,} media files removed")


def run(arguments: argparse.Namespace) -> int:
    """Start the app and one worker. Ctrl-C stops both."""
    from train.setup import set_up
    from train.supervise import run

    home = Home.from_environment()
    if arguments.setup:
        set_up(home, say=_tell)
    return run(home, port=arguments.port, say=_tell)


# ---------------------------------------------------------------- options


def build_parser() -> argparse.ArgumentParser:
    """Every verb with its options; a verb's help is the docstring of its function."""
    text = "Correct event extractions, and make the model behind them better."
    parser = argparse.ArgumentParser(prog="argus", description=text)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def add(verb: Callable[[argparse.Namespace], int], *options: str) -> argparse.ArgumentParser:
        text = verb.__doc__
        made = verbs.add_parser(
            verb.__name__.rstrip("_").replace("_", "-"), help=text, description=text
        )
        made.set_defaults(verb=verb)
        if "collection" in options:
            made.add_argument("--collection", metavar="NAME", required=True)
        if "json" in options:
            made.add_argument("--json", action="store_true", help="print JSON for a program")
        if "port" in options:
            made.add_argument("--port", type=_port, default=8501, metavar="1-65535")
        return made

    add(init, "json")
    add(demo, "json").add_argument(
        "--media",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="pictures, clips and sounds too (the default)",
    )
    one = add(import_, "json")
    one.add_argument("file", metavar="PATH")
    one.add_argument("--collection", metavar="NAME", help="default: the file's name, less its end")
    one.add_argument(
        "--language", default="en", metavar="CODE", help="of plain files, which say none: en, zh, …"
    )
    one.add_argument("--extend-schema", action="store_true", help="add new types and roles to it")
    one.add_argument("--preview", action="store_true", help="say what the file has, change nothing")
    one = add(export, "collection", "json")
    one.add_argument("file", metavar="OUT.jsonl")
    one.add_argument(
        "--form", choices=("jsonl", "coco", "label-studio"), default="jsonl",
        help="Argus JSONL (the default), COCO boxes, or tasks of Label Studio",
    )  # fmt: skip
    one.add_argument("--media", action="store_true", help="pictures, clips and sounds beside it")
    one.add_argument(
        "--crops", action="store_true", help="a crop or clip of each mention, in OUT-crops/"
    )
    one.add_argument(
        "--preferences", action="store_true",
        help="pairs of correction and suggestion for DPO instead: prompt, chosen, rejected",
    )  # fmt: skip
    one = add(suggest, "collection", "json")
    one.add_argument("--model", metavar="ID", help="default: the model in use")
    one.add_argument("--limit", type=_count, metavar="N", help="at most N samples")
    one.add_argument(
        "--filter", action="append", default=[], metavar="NAME=VALUE",
        help="language=ru,zh state=new split=dev source=… type=… published_from=2026-03-01 text=…",
    )  # fmt: skip
    one = add(train, "collection", "json")
    one.add_argument("--preset", default="laptop", help="laptop (the default), single-gpu or paper")
    one.add_argument("--per-language", type=_count, metavar="N", help="N a language, at random")
    one.add_argument("--seed", type=int)
    one.add_argument("--model", metavar="ID", help="the base; default: that of the model in use")
    one.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    one = add(average, "json")
    one.add_argument("run", nargs="+", type=_count, metavar="RUN", help="the numbers of the runs")
    one = add(evaluate, "collection", "json")
    one.add_argument("--split", help="default: test, or dev where there is no test")
    one.add_argument("--model", metavar="ID", help="default: the model in use")
    one.add_argument("--limit-per-language", type=_count, metavar="N")
    one = add(compare_prompts, "collection", "json")
    one.add_argument("--model", metavar="ID", help="default: the model in use")
    one.add_argument("--limit-per-language", type=_count, metavar="N")
    one.add_argument(
        "--free", action="store_true", help="each also without a grammar, as in the paper"
    )
    one.add_argument("--use", action="store_true", help="ask so from now on, the best a language")
    one = add(promote, "collection", "json")
    one.add_argument("model_id", metavar="MODEL", nargs="?")
    one.add_argument("--model", metavar="ID")
    one.add_argument("--reason", help="why, where it scores lower")
    one.add_argument("--back", action="store_true", help="go back to the model before")
    one = add(models, "json")
    one.add_argument("--collection", metavar="NAME")
    one.add_argument(
        "--add", metavar="FOLDER_OR_ID",
        help="a folder, Hugging Face's owner/name, or a script (*.json) that stands in for a model",
    )  # fmt: skip
    one.add_argument(
        "--nf4", action="store_true",
        help="load what --add names in 4 bits: a quarter of the memory, slower without a GPU",
    )  # fmt: skip
    one.add_argument(
        "--add-server", metavar="ADDRESS",
        help="an OpenAI-compatible server (vLLM, llama.cpp, Ollama): http://127.0.0.1:8080/v1",
    )  # fmt: skip
    one.add_argument(
        "--task", choices=("text", "vision", "speech"), default="text",
        help="what a hub's model is for: reads text (the default), pictures too, or writes down speech",
    )  # fmt: skip
    one.add_argument(
        "--pictures", action="store_true", help="the server's model reads pictures: send them"
    )
    one.add_argument("--name", help="which of the server's models")
    one.add_argument(
        "--key-variable", metavar="VARIABLE",
        help="the environment variable with the server's key",
    )  # fmt: skip
    one.add_argument("--context", type=_count, metavar="TOKENS", help="how much it reads at once")
    one = add(card)
    one.add_argument("model", metavar="MODEL")
    one.add_argument("--collection", metavar="NAME", help="of a base: its scores in this one only")
    one = add(export_model, "json")
    one.add_argument("model", metavar="MODEL")
    one.add_argument("folder", metavar="FOLDER")
    one.add_argument(
        "--form", choices=("peft", "merged", "gguf"), default="peft",
        help="a peft folder (the default), merged into its base, or an adapter for llama.cpp",
    )  # fmt: skip
    one = add(score, "json")
    one.add_argument("gold", metavar="GOLD.jsonl")
    one.add_argument("pred", metavar="PRED.jsonl")
    add(sweep, "json")
    add(doctor, "json", "port")
    add(run, "port").add_argument("--setup", action="store_true", help="demo and model first")
    return parser


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: give one from 1 to 65535")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


# ---------------------------------------------------------------- what the verbs share


def _services() -> Services:
    from train.services import open_services

    return open_services()


def _collection(services: Services, arguments: argparse.Namespace) -> CollectionRecord:
    from core.workflow import collection_name

    return services.store.collections.get(collection_name(arguments.collection))


def _tell_share(share: float) -> None:
    if share < 1:
        _tell(f"{share:.0%} of the media")


def _stem(path: Path) -> str:
    """The name of a file or folder, less its end."""
    name = path.name or path.resolve().name
    if path.is_dir():
        return name
    return Path(name.removesuffix(path.suffix)).stem if ".tar" in name else path.stem


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as problem:
        raise FileError(
            f"{file} cannot be read ({problem.strerror}): check its name and that it is yours"
        ) from problem


def _show_import(arguments: argparse.Namespace, result: ImportResult, name: str) -> int:
    from core.plain import import_text, media_text, problems_text

    _tell(problems_text(result.problems, name))
    _tell(media_text(result.missing, result.refused))
    _show(arguments, asdict(result), import_text(result))
    return int(bool(result.problems or result.refused))


def _show(arguments: argparse.Namespace, value: object, text: str) -> int:
    shown = json.dumps(value, ensure_ascii=False) if arguments.json else text
    sys.stdout.write(shown + "\n")
    return 0


def _tell(text: str) -> None:
    if text:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
