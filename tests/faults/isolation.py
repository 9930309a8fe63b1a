"""Commands that see other mounts than the test, or no network."""

import shutil
import subprocess

import pytest


def isolated(namespace: str, *then: str) -> tuple[str, ...]:
    """Return how a command begins that runs in a namespace of its own, --net or --mount; skip without.

    A new network has no routes, and its loopback interface is down.
    """
    for command in (("unshare", namespace), ("unshare", "--map-root-user", namespace)):
        if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
            return (*command, *then)
    pytest.skip("only root, or who may make user namespaces, can cut a command off")
