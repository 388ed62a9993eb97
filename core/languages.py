"""Language codes: what ISO 639-1 knows, how a language is written, and what it is called."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

# ISO 639-1, 183 codes in force.
CODES = frozenset(
    [
        "aa",
        "ab",
        "ae",
        "af",
        "ak",
        "am",
        "an",
        "ar",
        "as",
        "av",
        "ay",
        "az",
        "ba",
        "be",
        "bg",
        "bi",
        "bm",
        "bn",
        "bo",
        "br",
        "bs",
        "ca",
        "ce",
        "ch",
        "co",
        "cr",
        "cs",
        "cu",
        "cv",
        "cy",
        "da",
        "de",
        "dv",
        "dz",
        "ee",
        "el",
        "en",
        "eo",
        "es",
        "et",
        "eu",
        "fa",
        "ff",
        "fi",
        "fj",
        "fo",
        "fr",
        "fy",
        "ga",
        "gd",
        "gl",
        "gn",
        "gu",
        "gv",
        "ha",
        "he",
        "hi",
        "ho",
        "hr",
        "ht",
        "hu",
        "hy",
        "hz",
        "ia",
        "id",
        "ie",
        "ig",
        "ii",
        "ik",
        "io",
        "is",
        "it",
        "iu",
        "ja",
        "jv",
        "ka",
        "kg",
        "ki",
        "kj",
        "kk",
        "kl",
        "km",
        "kn",
        "ko",
        "kr",
        "ks",
        "ku",
        "kv",
        "kw",
        "ky",
        "la",
        "lb",
        "lg",
        "li",
        "ln",
        "lo",
        "lt",
        "lu",
        "lv",
        "mg",
        "mh",
        "mi",
        "mk",
        "ml",
        "mn",
        "mr",
        "ms",
        "mt",
        "my",
        "na",
        "nb",
        "nd",
        "ne",
        "ng",
        "nl",
        "nn",
        "no",
        "nr",
        "nv",
        "ny",
        "oc",
        "oj",
        "om",
        "or",
        "os",
        "pa",
        "pi",
        "pl",
        "ps",
        "pt",
        "qu",
        "rm",
        "rn",
        "ro",
        "ru",
        "rw",
        "sa",
        "sc",
        "sd",
        "se",
        "sg",
        "si",
        "sk",
        "sl",
        "sm",
        "sn",
        "so",
        "sq",
        "sr",
        "ss",
        "st",
        "su",
        "sv",
        "sw",
        "ta",
        "te",
        "tg",
        "th",
        "ti",
        "tk",
        "tl",
        "tn",
        "to",
        "tr",
        "ts",
        "tt",
        "tw",
        "ty",
        "ug",
        "uk",
        "ur",
        "uz",
        "ve",
        "vi",
        "vo",
        "wa",
        "wo",
        "xh",
        "yi",
        "yo",
        "za",
        "zh",
        "zu",
    ]
)

# The four that the interface and the demo speak, in the order that every table shows them.
MAIN = ("en", "zh", "es", "ru")

_NAMES = {
    "en": "English", "zh": "Chinese", "es": "Spanish", "ru": "Russian", "ar": "Arabic",
    "hi": "Hindi", "fr": "French", "de": "German", "pt": "Portuguese", "ja": "Japanese",
    "ko": "Korean", "uk": "Ukrainian", "fa": "Persian", "he": "Hebrew", "tr": "Turkish",
}  # fmt: skip

RIGHT_TO_LEFT = frozenset(["ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"])

# The scripts of a language, as Unicode's names of letters begin. Serbian and others with two: none.
_SCRIPTS = {
    "LATIN": "en es fr de pt it nl pl tr cs sk hu ro sv da nb nn no fi et lv lt sl hr id ms vi ca",
    "CYRILLIC": "ru uk be bg mk kk ky tg",
    "CJK": "zh ja ko", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko",
    "ARABIC": "ar fa ur ps ug sd", "HEBREW": "he yi", "DEVANAGARI": "hi mr ne", "GREEK": "el",
}  # fmt: skip


def name_of(code: str) -> str:
    """The English name of a language, or its code where Argus has no name for it."""
    return _NAMES.get(code, code)


def in_order(codes: Iterable[str]) -> list[str]:
    """Language codes as every table shows them: the main four first, then by alphabet."""
    return sorted(codes, key=lambda c: (MAIN.index(c) if c in MAIN else len(MAIN), c))


@lru_cache(maxsize=4096)
def script_of(char: str) -> str | None:
    """The script of a letter, by Unicode's name for it; None for what is no letter.

    >>> script_of("Ж"), script_of("発"), script_of("Ａ"), script_of("7")
    ('CYRILLIC', 'CJK', 'LATIN', None)
    """
    plain = unicodedata.normalize("NFKC", char)[:1]
    if not plain.isalpha():
        return None
    script = unicodedata.name(plain, "").partition(" ")[0]
    return "CJK" if script == "IDEOGRAPHIC" else script


def scripts_of(language: str, text: str) -> frozenset[str]:
    """The scripts that a language is written in; where Argus does not know, the one of the text.

    >>> scripts_of("zh", "OpenAI发布GPT")
    frozenset({'CJK'})
    """
    known = frozenset(script for script, codes in _SCRIPTS.items() if language in codes.split())
    if known:
        return known
    counts = Counter(script for script in map(script_of, text) if script)
    return frozenset(script for script, _ in counts.most_common(1))
