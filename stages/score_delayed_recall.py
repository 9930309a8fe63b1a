"""Stage `score_delayed_recall`: what one seed's models recall, as a small file in git."""

from stages.networks.provenance import FILE, check_current
from stages.params.delayed_recall import load_delayed_recall
from stages.runtime.command_line import stage_main
from stages.runtime.files import DELAYED_RECALL, REPORTS, json_text, load_json, write_atomically


def score_delayed_recall(seed: int) -> None:
    """Write how well both cells answer after each delay, with settings and provenance."""
    folder = DELAYED_RECALL / str(seed)
    made = load_json(folder / FILE)
    check_current(str(folder), made, load_delayed_recall().model_dump(mode="json"))
    result = load_json(folder / "results.json") | {"settings": made.pop("settings"), "provenance": made}
    write_atomically(REPORTS / "delayed_recall" / f"{seed}.json", json_text(result))


if __name__ == "__main__":
    stage_main(score_delayed_recall)
