"""Run the benchmarks: python -m bench [--quick] [NAME ...].

Each prints Markdown tables and writes them to bench/results.json, which the READMEs quote.
"""

import argparse
from importlib import import_module

from bench.report import save

NAMES = ("pages", "growth", "containers", "sentry", "waits")


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, and nothing is written")
    parser.add_argument("names", nargs="*", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    arguments = parser.parse_args()
    for name in arguments.names or NAMES:
        tables = import_module(f"bench.{name}").run(arguments.quick)
        for table in tables:
            print(table, flush=True)
        if not arguments.quick:
            save(name, tables)


if __name__ == "__main__":
    main()
