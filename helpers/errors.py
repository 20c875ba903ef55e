"""`Refused`: the one exception for anything a person asked for that cannot be done.

It is raised before any work, and says three things: what is wrong, what is allowed, what to try.

    Refused("width is 500", "it goes in steps of 32", "try 480 or 512")
    -> width is 500; it goes in steps of 32: try 480 or 512
"""

import difflib

MOST, NEAREST = 16, 8       # names that are all listed; those that are, of more


class Refused(ValueError):
    """Message `wrong; allowed: advice`; empty parts are left out."""

    def __init__(self, wrong: str, allowed: str = "", advice: str = ""):
        super().__init__(wrong, allowed, advice)  # all three in args, so that it survives pickling
        self.wrong, self.allowed, self.advice = wrong, allowed, advice

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: where it was raised in our source helps no artist."""
        return [str(self)]

    def __str__(self) -> str:
        rest = ": ".join(part for part in (self.allowed, self.advice) if part)
        return f"{self.wrong}; {rest}" if rest else self.wrong


def quoted(names) -> str:
    """'a', 'b', 'c'"""
    return ", ".join(repr(str(name)) for name in names)


def closest(name, names, cutoff: float = 0.7) -> str | None:
    """The one of `names` that `name` most likely means, or None; capitals and separators do not count. What
    begins so comes first, else who is as like as `cutoff`, 0 to 1."""
    wanted, plain = _plain(name), {_plain(other): other for other in reversed(list(names))}
    begun = sorted((other for other in plain if other.startswith(wanted)), key=len) if len(wanted) > 2 else []
    near = begun or difflib.get_close_matches(wanted, list(plain), 1, cutoff)
    return plain[near[0]] if near else None


def unknown(what: str, name, names, listed: str = "") -> Refused:
    """`no system called 'deepdaze'; did you mean 'deep_daze'?`, or else `listed`, or all names; of more than
    MOST the nearest."""
    near, names = closest(name, names), list(names)
    all_of_them = f"choose one of {quoted(names)}"
    if len(names) > MOST:
        some = difflib.get_close_matches(str(name), map(str, names), NEAREST, cutoff=0)
        all_of_them = f"the nearest of {len(names)} are {quoted(some)}"
    return Refused(f"no {what} called {str(name)!r}",
                   f"did you mean {near!r}?" if near else listed or all_of_them)


def _plain(name) -> str:
    return "".join(c for c in str(name).lower() if c.isalnum())
