"""The interface's words for pictures, clips and sounds on Review."""

MEDIA: dict[str, str] = {
    "review.unloaded": "The workbench could not be loaded: reload the page. Argus is started with "
    "`argus run`, which serves it.",
    "media.error.page": "Only the first {n} pages of a document are drawn: export the page as a "
    "picture and import that",
    "media.error.none": "The sample has no medium {media!r} with a file: reload the page",
}

# What the workbench says in the browser, under the keys that its script asks for.
BENCH_MEDIA: dict[str, str] = {
    "review.unloaded": "The workbench could not be loaded: reload the page. Argus is started with "
    "`argus run`, which serves it.",
    # the stage and its gallery
    "stage.name": "Pictures and clips of the sample",
    "stage.strip": "Media of the sample",
    "stage.choose": "{n}: {name}",
    "stage.waiting": "{name} is being made ready: {done} of {total} · {seconds} s",
    "stage.no_worker": "{name} waits for the worker, which does not run: start it with `argus run`",
    "stage.queued": "{name} will be ready soon · {seconds} s",
    "stage.failed": "{name} cannot be shown: {why}",
    "stage.missing": "{name} is not there: {why}",
    "stage.unknown": "no file was given",
    "stage.unloadable": "{name} could not be loaded: reload the page",
    # where a mention lies, on the cards
    "place.box": "box in {media}",
    "place.page": "page {page}",
    "place.box_at": "box at {x}\u00a0%, {y}\u00a0%, {w}\u00a0×\u00a0{h}\u00a0% large",
    "place.boxes": "keyframes: {n}",
    "place.crop": "Go to the place in {media}",
    # the picture pane
    "picture.name": "{name}. Drag to draw a box, or press B; arrow keys move it, Shift with them resizes",
    "picture.box": "{n} {type}, {role}, {decision}",
    "picture.hint": "Arrow keys move the box, Shift with them resizes it, N next slot, Delete, Esc lets go.",
    "picture.picked": "Selected box, not in a slot yet",
    "picture.zoom_in": "Larger (+)",
    "picture.zoom_out": "Smaller (-)",
    "picture.fit": "Fit the view (0)",
    "picture.percent": "{n} %",
    "picture.page": "page {page} of {pages}",
    "picture.page_back": "Previous page (Page up)",
    "picture.page_on": "Next page (Page down)",
    "picture.add": "Box",
    "picture.add_long": "A box in the middle of the view (B)",
    "picture.read": "Words",
    "picture.read_long": "Dragging takes words and not boxes (R)",
    "picture.fine": "1 px",
    "picture.fine_long": "Arrow keys move by one pixel of the picture (W)",
    "picture.text": "Text in the picture",
    "picture.text_name": "Text in the picture. Arrow keys move by word, Shift with them selects more",
    "picture.text_waits": "The words are being fetched",
    "picture.text_none": "No words were found in this page.",
    # its keys on the sheet of keys
    "help.picture": "In a picture or document. These keys are fixed.",
    "help.picture.box": "Box in the middle of the view",
    "help.picture.move": "Move the box, or the picture",
    "help.picture.resize": "Resize the box",
    "help.picture.fine": "Arrows by one pixel",
    "help.picture.remove": "Take the box away",
    "help.picture.words": "Dragging takes words, not boxes",
    "help.picture.read": "In its text: by word, with Shift more",
    "help.picture.zoom": "Larger, smaller",
    "help.picture.fit": "Fit the view",
    "help.picture.pan": "Hold it and drag: move the picture",
    "help.picture.page": "Previous, next page",
    "help.picture.medium": "Previous, next medium of the sample",
}
