"""PyAV's turn in the benchmark of frames: it runs in PyAV's own Python and knows nothing of Argus.

Each line on stdin is `path|frames|threads`, each on stdout what it took: seconds and the numbers'
mean colours, so that both sides are seen to take the same frames.
"""

# ruff: noqa: T201  the lines on stdout are what this is for

import json
import sys
from time import perf_counter


def take(path, numbers, threads):
    """Open the clip, seek to the key frame before each frame, and decode up to it."""
    import av

    began = perf_counter()
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = threads
        ticks = 1 / (stream.average_rate * stream.time_base)
        pictures = []
        for number in numbers:
            wanted = round(number * ticks)
            container.seek(wanted, stream=stream)
            frame = next(f for f in container.decode(stream) if f.pts >= wanted)
            pictures.append(frame.to_ndarray(format="rgb24"))
    seconds = perf_counter() - began
    return {"seconds": seconds, "means": [float(p.mean()) for p in pictures]}


if __name__ == "__main__":
    for line in sys.stdin:
        path, numbers, threads = line.strip().split("|")
        print(json.dumps(take(path, json.loads(numbers), threads)), flush=True)
