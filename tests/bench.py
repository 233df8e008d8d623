"""`make bench`: the performance tables, one after the other on this machine."""

from __future__ import annotations

import time

from tests import bench_matching, bench_notes, bench_page, bench_service


def main() -> None:
    for title, bench in (("Reading notes", bench_notes), ("Compiling and matching trials", bench_matching), ("The service under load", bench_service), ("The page", bench_page)):
        print(f"== {title}  ({time.strftime('%Y-%m-%d')})", flush=True)
        bench.main()


if __name__ == "__main__":
    main()
