"""The stages of dvc.yaml, one file each; what they share lies in packages: see stages/README.md."""


class StageError(Exception):
    """Something that the user can mend; its text is all that the user needs to read."""


from stages.runtime import processor  # noqa: E402, F401 (before any library that computes)
