"""`eligo serve`, `batch`, `keys`, `audit`: mounted by `api.cli`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from workers.settings import load_settings

serve_app = typer.Typer()


class Part(StrEnum):
    api = "api"
    worker = "worker"


@serve_app.callback(invoke_without_command=True)
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (ELIGO_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (ELIGO_PORT); 0 chooses one.")] = None,
    only: Annotated[Part | None, typer.Option(help="Only this part, in this process, with REDIS_URL: for containers.")] = None,
) -> None:
    """Redis (unless REDIS_URL names one), a worker, the API and the page, until Ctrl-C."""
    from api import supervisor
    from workers.settings import SettingsError

    settings = load_settings()
    host, port = host or settings.host, settings.port if port is None else port
    if only is not None and not settings.redis_url:
        raise SettingsError(f"--only {only} needs REDIS_URL: the parts meet there")
    if only is Part.worker:
        from workers.__main__ import main

        main(settings)
        return
    supervisor.check_door(settings, host)
    with supervisor.listen(host, port) as listening:
        if only is Part.api:
            from api.__main__ import run

            run(listening)
        else:
            supervisor.Supervisor(settings).run(listening, lambda url: print(f"Eligo is at {url}", file=sys.stderr, flush=True))
