"""The tests, which compute as every stage does: this fixes the libraries before any of them is loaded."""

import stages  # noqa: F401
