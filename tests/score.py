"""`make score`: the quality tables. `python -m tests.score FOLDER` scores another folder of annotated notes,
`python -m tests.score ranking` the order of 15,546 trials of all diseases, which takes minutes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests import ablation, reference


def main(arguments: list[str]) -> int:
    if not reference.SHARED.is_dir():
        print("The reference data (../shared) is not beside this checkout; there is nothing to score against.", file=sys.stderr)
        return 1
    if arguments == ["ranking"]:
        return _print([("Trials of all diseases in order, TREC Clinical Trials 2021", reference.ranking)])
    folder = Path(arguments[0]) if arguments else reference.DEV
    told = f"development figures, {folder.name}" if folder == reference.DEV else str(folder)
    tables = [
        (f"What the notes say ({told})", lambda: reference.extraction(folder)),
        (f"Criteria of the seed trials ({told})", lambda: reference.criteria(folder)),
    ]
    if not arguments:
        tables += [
            ("Negation, NegEx test kit (development part)", reference.spans),
            ("Numeric criteria, all diseases (development part)", reference.numeric),
            ("Atomic statements of myeloma trials (development part)", reference.constraints),
            ("Assessable criteria of the myeloma trials that are logic with no part left over", reference.understanding),
            ("Criterion judged against a note, general medicine, unmentioned presumed absent (development part)", reference.pairs),
        ]
        tables.append(("What each part of the note reader adds, and costs (development notes and harder copies)", ablation.main))
    return _print(tables)


def _print(tables: list[tuple[str, Callable[[], str]]]) -> int:
    for title, table in tables:
        begun = time.perf_counter()
        printed = table()
        print(f"== {title}  [{time.perf_counter() - begun:.1f} s]\n{printed}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
