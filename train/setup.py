"""First start: the database, the demo collection and the embedded model; what is there stays.

Run as: python -m train.setup (converts the embedded model, in a process that then gives the memory back)
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from storage.home import CHECKOUT, Home
from train.demo import load_demo, load_media_demo
from train.services import open_services


def set_up(home: Home, *, say: Callable[[str], None]) -> None:
    """Bring everything in place, saying what each step does; without a model the rest still works."""
    from core.models import embedded

    began = time.monotonic()
    services = open_services(home)
    if not services.store.collections.all():
        say("loading the demo collections, a few seconds")
        load_demo(services)
        load_media_demo(services)
    if not embedded.is_installed() and not embedded.is_converted(home.models):
        say(f"the package {embedded.PACKAGE} is missing: everything but suggestions works")
    elif not embedded.is_converted(home.models):
        say(f"converting {embedded.TITLE} to safetensors, once, about a minute")
        done = subprocess.run([sys.executable, "-m", "train.setup"], cwd=CHECKOUT, check=False)
        if done.returncode:
            say(f"{embedded.TITLE} could not be converted: everything but suggestions works")
    say(f"set up in {time.monotonic() - began:.0f} s")


def main() -> int:
    """Convert the embedded model."""
    from core.errors import ArgusError
    from core.models import embedded

    try:
        embedded.convert(Home.from_environment().models)
    except ArgusError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
