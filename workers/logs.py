"""Structured logs, one JSON object a line on standard error: identifiers and counts, never a word of a note.

Any exception, ours or a library's, is written as its type and its frames: a message or a source line can quote a note.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from workers.matching import where


def _scrub(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"], event["at"] = type(error).__name__, where(error)
        record = event.get("_record")
        if record is not None:
            event["event"] = record.msg if isinstance(record.msg, str) else "failure"  # the template, without what was filled in
    event.pop("stack_info", None)
    return event


def _plain_messages(record: logging.LogRecord) -> bool:
    """Celery and asyncio put an exception's text among the arguments of the message, not only into exc_info."""
    if record.levelno >= logging.WARNING and record.args:
        values = record.args.values() if isinstance(record.args, dict) else record.args
        if record.name.startswith(("celery.app.trace", "celery.worker.request", "asyncio")) or any(isinstance(v, BaseException) for v in values):
            record.args = ()
    return True


def configure_logging(level: str, component: str) -> None:
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, _scrub, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_plain_messages)

    def name(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["component"] = component
        return event

    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[_scrub, structlog.stdlib.ProcessorFormatter.remove_processors_meta, name, structlog.processors.JSONRenderer()],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for quiet in ("uvicorn.access", "httpx", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
