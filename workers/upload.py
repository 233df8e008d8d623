"""The file of a batch becomes its notes."""

from __future__ import annotations

from typing import Any

from workers.settings import Settings
from workers.store import Claim, Store


def read_upload(store: Store, claim: Claim, options: dict[str, Any], settings: Settings) -> None:
    store.refuse(claim.job, "not read yet")
