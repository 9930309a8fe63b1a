"""What goes wrong and can be mended."""


class StageError(Exception):
    """Something that the user can mend; its text is all that the user needs to read."""
