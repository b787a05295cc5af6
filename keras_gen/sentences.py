"""Our sentences inside the runtime's errors: how they are marked, and found again."""

BAD_INPUT, END = "keras_gen: bad input: ", " (end)"


def refusal(text: str) -> str | None:
    """The sentence of `training.require` in the message of a runtime's error, if there is one."""
    if BAD_INPUT not in text:
        return None
    # The runtime writes [piece] [value] [piece].
    return text.split(BAD_INPUT)[1].split(END)[0].replace("] [", "")
