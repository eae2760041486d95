"""An Ansible filter that compares what is wanted with what Sentry has."""

from collections.abc import Iterator
from typing import Any


def differences(wanted: Any, current: Any, path: str = "") -> list[str]:
    """Return a line for each wanted value that differs; what else Sentry has does not matter."""
    return list(find(wanted, current, path))


def find(wanted: Any, current: Any, path: str) -> Iterator[str]:
    """Yield the differences below a path."""
    if isinstance(wanted, dict) and isinstance(current, dict):
        for key, value in wanted.items():
            yield from find(value, current.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(current, list) and len(wanted) == len(current):
        for place, (value, other) in enumerate(zip(wanted, current, strict=True)):
            yield from find(value, other, f"{path}.{place}")
    elif wanted != current:
        yield f"{path} does not exist" if current is None else f"{path} is {current}, not {wanted}"


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"differences": differences}
