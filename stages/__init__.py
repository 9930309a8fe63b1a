"""The stages of dvc.yaml, one file each; what they share lies in packages: see stages/README.md."""

from stages.runtime import processor  # noqa: F401 (before any library that computes)
