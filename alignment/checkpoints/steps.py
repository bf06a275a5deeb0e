"""Steps of training, as names of revisions and folders say them."""

import re

_STEP = re.compile(r"(?:step|checkpoint|iter|ckpt)s?[-_=]?(\d+)(k|m)?(?![a-z0-9])", re.IGNORECASE)
_TOKENS = re.compile(r"tokens?[-_=]?(\d+(?:\.\d+)?)(k|m|b|t)?(?![a-z0-9])", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


def steps_in(name: str) -> tuple[int | None, int | None]:
    """Return the step and the tokens of training that a name says.

    >>> steps_in("step1000-tokens4B")
    (1000, 4000000000)
    >>> steps_in("global_step500"), steps_in("checkpoint-20"), steps_in("main")
    ((500, None), (20, None), (None, None))
    """
    step, tokens = _STEP.search(name), _TOKENS.search(name)
    return (
        None if step is None else int(step[1]) * _UNITS[(step[2] or "").lower()],
        None if tokens is None else int(float(tokens[1]) * _UNITS[(tokens[2] or "").lower()]),
    )
