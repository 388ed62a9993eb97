"""English words for the ways of asking a model, and for their comparison."""

from __future__ import annotations

PROMPTS = {
    "prompts.title": "How the model is asked",
    "prompts.now": "{way}: {languages}.",
    "prompts.by_default": "This is the default.",
    "prompts.since": "Chosen {time} by {person}; the default in every other language.",
    "prompts.empty": "The ways of asking this model were not compared yet.",
    "prompts.no_dev": "They are compared on reviewed samples of the dev split, and there are none yet: "
    "review some, one in ten goes to dev.",
    "prompts.with_free": "Each also without a grammar",
    "prompts.with_free.help": "As in the paper: the reply is not bound, and its errors are counted as problems. "
    "To compare with; it is never used.",
    "prompts.compare": "Compare prompts",
    "prompts.estimate": "{ways} ways on {samples} of dev, about {time}.",
    "prompts.use": "Use the best per language",
    "prompts.used": "The model is asked in the best way of each language now.",
    "prompts.default": "Go back to the default",
    "prompts.went_back": "The model is asked in the default way now.",
    "prompts.way": "Way of asking",
    "prompts.problems": "Problems",
    "prompts.seconds": "Seconds a sample",
    "prompts.figures": "Trigger / argument accuracy, in brackets their F1 (Tri-C / Arg-C), in per cent, on "
    "{samples} of dev. Bold is the best of a language by the mean of both F1.",
    "prompts.twice": "{way}: {n} of {samples} were asked about twice.",
    "prompts.failed": "The last comparison failed. {why}. What was done before is kept.",
    "prompts.brief.v1": "The text alone",
    "prompts.full.v1": "Instructions with a made-up example",
    "prompts.chat.v1": "Types and one made-up example, for a server",
    "prompts.english.v2": "Instructions in English",
    "prompts.native.v1": "Instructions in the language of the text",
    "prompts.examples.one": "{way}, {n} reviewed example",
    "prompts.examples.other": "{way}, {n} reviewed examples",
    "prompts.in_steps": "{way}, where a first answer without them is unsure",
    "prompts.free": "{way}, unbound as in the paper",
    "job.compare": "Comparing prompts of {model}",
}
