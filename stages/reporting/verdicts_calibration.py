"""What the report concludes on calibration."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.reporting.formatting import LABELS, capitalised, lead, percent
from stages.reporting.verdicts import ahead


def better_calibrated(recipe: str, errors: Mapping[str, float], difference: Mapping[str, Any] | None) -> str:
    """Say which cell is better calibrated.

    errors: cell → expected calibration error; difference: that of the LSTM − that of the RNN, over seeds;
    None: there is one seed.
    """
    both = f"is {percent(errors['rnn'])} for the RNN and {percent(errors['lstm'])} for the LSTM"
    if difference is None:
        return (
            f"With `{recipe}` the expected calibration error {both}; one seed does not tell which is better."
        )
    said = {
        1: "the RNN is better calibrated than the LSTM",
        0: "neither cell is shown to be better calibrated",
        -1: "the LSTM is better calibrated than the RNN",
    }[ahead(difference)]
    return (
        f"With `{recipe}` {said}: the expected calibration error {both}, "
        f"LSTM − RNN is {lead(difference)} percentage points over seeds."
    )


def overconfident(intervals: Mapping[str, Sequence[float] | None]) -> str:
    """Say which cells are over- or underconfident; intervals: cell → of the overconfidence, over seeds.

    Nothing for a single seed.
    """
    said = {1: "overconfident", 0: "neither over- nor underconfident", -1: "underconfident"}
    parts = {
        cell: said[ahead({"interval": interval})]
        for cell, interval in intervals.items()
        if interval is not None
    }
    if not parts:
        return ""
    if len(set(parts.values())) == 1:
        both = parts["rnn"]
        return f"Both are {both}." if both != said[0] else "Neither is shown to be over- or underconfident."
    sentence = " and ".join(f"the {LABELS[cell]} is {each}" for cell, each in parts.items())
    return f"{capitalised(sentence)}."
