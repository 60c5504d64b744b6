"""`python -m local.sample OUT_DIR [--seed 7] [--days 30] [--end ISO]`: write a sample and say what is in it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from .files import write_sample
from .generate import make_sample


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sample that `arguments` ask for. Returns 0; 2 on misuse."""
    parser = argparse.ArgumentParser(prog="python -m local.sample", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="OUT_DIR")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=int, default=30, help="7 or more")
    parser.add_argument("--end", type=datetime.fromisoformat, help="ISO 8601 with a zone; the last full hour if absent")
    options = parser.parse_args(arguments)
    end = options.end or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    try:
        sample = make_sample(options.seed, options.days, end)
        write_sample(sample, options.directory)
    except (ValueError, OSError) as error:
        print(f"sample: {error}", file=sys.stderr)
        return 2
    print(f"{len(sample.log)} sign-ins, {len(sample.violations)} planted violations in {options.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
