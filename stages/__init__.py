"""The stages of dvc.yaml, one file each; what they share lies in packages: see stages/README.md."""

# Before any library that computes, and before the modules whose digests are taken.
from stages.runtime import interruption, processor, sources  # noqa: F401
