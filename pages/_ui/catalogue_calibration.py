"""English words for the calibration of a model."""

from __future__ import annotations

CALIBRATION = {
    "calibration.title": "When it is 90 % sure, is it right nine times in ten?",
    "calibration.said": "On {parts} of {samples}, the model’s own confidence was off by **{before} points**; "
    "calibrated, by **{after} points**.",
    "calibration.parts.one": "{n} part",
    "calibration.parts.other": "{n} parts",
    "calibration.what": "How far off: the expected calibration error, in points of 100. Each figure is of parts that the "
    "curve was not fitted to. Queues and “accept all above” use the calibrated confidence.",
    "calibration.made": "Looked at {time}.",
    "calibration.none": "Not known yet: it takes {n} suggested parts of one kind that someone has reviewed. "
    "Review some suggestions, or let the model suggest for reviewed samples of the dev split.",
    "calibration.few": "Not known yet: {parts} of {samples} are too few. It takes {n} suggested parts of one kind "
    "that someone has reviewed. Review more suggestions, or add samples to the dev split.",
    "calibration.do": "Find out",
    "calibration.again": "Find out again",
    "calibration.language": "Language",
    "calibration.figures": "The figures behind the plot",
    "calibration.alt": "How often parts were right, by how confident the model was, before and after calibration",
    "calibration.before": "the model’s own",
    "calibration.after": "calibrated",
    "calibration.even": "as it should be",
    "calibration.x": "confidence",
    "calibration.y": "share right",
    "calibration.hover": "confidence %{x:.2f}, right %{y:.2f}, %{customdata:,} parts",
    "calibration.kind.all": "All",
    "calibration.kind.type": "Type",
    "calibration.kind.trigger": "Trigger",
    "calibration.kind.role": "Role",
    "calibration.kind.argument": "Words",
    "calibration.col.parts": "Parts",
    "calibration.col.kind": "Part",
    "calibration.col.which": "Confidence",
    "calibration.col.mean": "Mean",
    "calibration.col.right": "Right",
    "calibration.col.count": "Parts",
    "job.calibrate": "Finding out how sure {model} may be",
}
