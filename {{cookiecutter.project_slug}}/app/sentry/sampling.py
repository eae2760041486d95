"""Which requests are traced."""

import random
from collections.abc import Callable, Mapping
from typing import Any

NEVER_TRACED = ("/browser/", "/healthz", "/readyz", "/static/")


def is_never_traced(path: str | None) -> bool:
    """Return whether `path` is that of a health check or of a static file."""
    return (path or "").startswith(NEVER_TRACED)


def sampler(rate: float) -> Callable[[Mapping[str, Any]], float]:
    """Return a `traces_sampler` that keeps `rate` of the requests, whatever a client asks for.

    | request                                         | share that is kept                |
    | ----------------------------------------------- | --------------------------------- |
    | health check, static file                       | none                              |
    | the client says that its trace is not sampled   | none                              |
    | the client sends a trace that is or may be      | `rate`, drawn anew, because a     |
    | sampled                                         | client can forge `sample_rand`    |
    | without a trace                                 | `rate`                            |

    For a trace that a client began, Sentry is told the rate 1 and does not extrapolate counts.
    """

    def traces_sampler(context: Mapping[str, Any]) -> float:
        environ = context.get("wsgi_environ", {})
        if is_never_traced(environ.get("PATH_INFO")) or context["parent_sampled"] is False:
            return 0
        if "HTTP_SENTRY_TRACE" in environ:
            return float(random.random() < rate)
        return rate

    return traces_sampler
