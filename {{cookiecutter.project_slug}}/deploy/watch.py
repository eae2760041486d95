"""Ask Sentry for WATCH minutes how the release does that `make ship` deployed, and take it back.

It goes back if at least WATCH_CRASHES requests crash meanwhile, fewer than WATCH_CRASH_FREE percent
of the last hour's did not, and the release before did better. If nothing is known, it stays. DRY=1
only watches. The SENTRY_AUTH_TOKEN for releases is enough. What bin/ship needs is needed here, too.
"""

import base64
import json
import os
import re
import sys
import time
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

# A workflow sets what it has no value for to nothing.
TOKEN = os.environ.get("SENTRY_AUTH_TOKEN", "")
MINUTES = float(os.environ.get("WATCH") or 10)
CRASHES = int(os.environ.get("WATCH_CRASHES") or 10)
CRASH_FREE = float(os.environ.get("WATCH_CRASH_FREE") or 98)
ROUNDS = 20
QUERY = "health=1&summaryStatsPeriod=1h&healthStatsPeriod=1h"
UNKNOWN = (OSError, HTTPException, LookupError, ValueError, TypeError, ArithmeticError)
SHIPPED = Path(__file__).parent.parent / ".deployed"


def health(release: str) -> tuple[int, float, str]:
    """Return how many requests of the last hour crashed, how many percent did not, and a text."""
    # A token of an organization contains its name and its URL.
    facts = json.loads(base64.b64decode(TOKEN[7:].rpartition("_")[0] + "==") or "{}")
    url = os.environ.get("SENTRY_URL") or facts.get("url") or "https://sentry.io"
    path = f"organizations/{os.environ.get('SENTRY_ORG') or facts['org']}/releases/{quote(release)}"
    request = Request(f"{url.rstrip('/')}/api/0/{path}/?{QUERY}")
    request.add_unredirected_header("Authorization", f"Bearer {TOKEN}")
    with urlopen(request, timeout=10) as response:
        projects = {each["slug"]: each for each in json.load(response)["projects"]}
    found = projects[os.environ.get("SENTRY_PROJECT") or release.partition("@")[0]]
    total, crashed = (found["healthData"][key] for key in ("totalSessions", "sessionsCrashed"))
    free = 100 - 100 * crashed / total
    text = f"{total} requests, {crashed} crashed, {free:.1f} % crash-free"
    return crashed, free, f"{release}: {text}, {found['newGroups']} new issues"


def crashed_before(release: str) -> int:
    """Return how many requests have crashed already, for example in an earlier deploy."""
    try:
        return health(release)[0]
    except UNKNOWN:
        return 0


def hurts(release: str, before: str, known: int) -> bool:
    """Print what Sentry knows, and tell whether a release crashes more than the one before.

    Of its crashes, `known` happened before it was watched.
    """
    try:
        (crashed, free, text), (_, free_before, _) = map(health, (release, before))
    except UNKNOWN as error:
        print(f"Not enough is known of {release} and {before}: {error!r}", flush=True)
        return False
    print(f"{text} (before: {free_before:.1f} %)", flush=True)
    return crashed - known >= CRASHES and free < CRASH_FREE and free < free_before


if __name__ == "__main__":
    said = SHIPPED.read_text() if SHIPPED.exists() else ""
    shipped = re.search(r"Deployed: (\S+) \S+ \S+ (\S+@\S+) (changed|told)", said)
    if not (shipped and TOKEN and MINUTES):
        sys.exit(print("Nothing was watched: no token of Sentry, WATCH=0, or nothing new serves."))
    known = crashed_before(shipped[1])
    for _ in range(ROUNDS):
        time.sleep(MINUTES * 60 / ROUNDS)
        if hurts(shipped[1], shipped[2], known):
            print(f"{shipped[1]} crashes for users.", flush=True)
            if not os.environ.get("DRY"):
                version = shipped[1].partition("@")[2]
                os.execv("/bin/sh", ["sh", "bin/ship", "--back", version])  # noqa: S606 our own script
            sys.exit(1)
    print(f"{shipped[1]} stays.")
