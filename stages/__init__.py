"""The stages of `dvc.yaml`, one file each, and the modules that they share."""

import stages.processor  # noqa: F401 (before any library that computes)


class StageError(Exception):
    """Something that the user can mend; its text is all that the user needs to read."""
