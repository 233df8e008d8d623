"""Every setting of the service, from the environment: `ELIGO_*`, and `REDIS_URL`."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from matcher import EligoError


class SettingsError(EligoError):
    """A setting is missing or wrong; the message names the variable and what to set."""


def _default_data_dir() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "eligo"


class Settings(BaseSettings):
    """Durations in seconds, sizes in bytes. A field `x` is read from `ELIGO_X`; lists are comma-separated."""

    model_config = SettingsConfigDict(env_prefix="ELIGO_", frozen=True, extra="ignore", env_ignore_empty=True)

    # where things are
    data_dir: Path = Field(default_factory=_default_data_dir, description="What the program keeps: registry, keys, audit log, embedded Redis")
    redis_url: str = Field(default="", validation_alias=AliasChoices("REDIS_URL", "ELIGO_REDIS_URL"), description="redis:// rediss:// unix:// sentinel://; empty: embedded")
    sentinel_master: str = "mymaster"
    redis_maxmemory: str = Field(default="", description="Limit of the embedded Redis, e.g. 2gb; empty: none")

    bundled_trials: bool = Field(default=True, description="Match against the trials that come with the program, too")

    # what is kept, and for how long
    encryption_keys: SecretStr = Field(default=SecretStr(""), description="Base64 of 32 bytes each; the first seals, all open (rotation)")
    encryption_key_file: Path | None = None
    ttl: int = Field(default=24 * 3600, ge=60)
    erase_every: int = Field(default=600, ge=1, description="What was deleted or has expired leaves Redis's append-only file, too, within so long")

    # the work
    processes: int = Field(default_factory=lambda: max(1, min(4, os.cpu_count() or 1)), ge=1, le=64)
    note_soft_limit: float = Field(default=10, gt=0, description="A note that reads longer fails with that reason")
    note_hard_limit: float = Field(default=30, gt=0, description="A process stuck for so long in one note is killed")
    spacy_model: str = Field(default="", description="A spaCy pipeline of your own, by package name or path: its drugs and conditions join those of the rules")
    max_attempts: int = Field(default=5, ge=1, description="How often a note may take its process down before it is given up")
    lease: float = Field(default=5, gt=1, description="A note whose process gave no sign for so long is read by another")
    slice: float = Field(default=0.25, ge=0.05, description="Work done for one job before its next turn in the queue, while other jobs are unfinished")
    soft_shutdown: float = Field(default=2, ge=0, description="Given to the turns in hand when a worker is told to stop; what is not finished is read again")

    # the door
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    max_note_bytes: int = 5_000_000
    max_upload_bytes: int = 256_000_000
    rate_per_second: float = Field(default=50, ge=0, description="Submissions of one caller with credentials; 0: no limit")
    rate_burst: int = Field(default=500, ge=1)
    cors_origins: str = Field(default="", description="Comma-separated origins that may call the API from a browser; empty: only its own")
    trusted_hosts: str = Field(default="", description="Comma-separated Host names that are answered; empty: loopback names, or any where callers authenticate")

    # who may come in
    public_url: str = Field(default="", description="As browsers reach this service, e.g. https://eligo.hospital.example; empty: as the request says")
    session_ttl: int = Field(default=8 * 3600, ge=60, description="How long a browser stays signed in")
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_jwks_url: str = Field(default="", description="Empty: found through the issuer's discovery document")
    oidc_client_id: str = Field(default="", description="Lets browsers sign in at the issuer (authorization code with PKCE); empty: bearer tokens only")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="Empty: a public client")
    oidc_scopes: str = Field(default="openid", description="Asked for at sign-in")
    oidc_tenant_claim: str = "tenant"
    oidc_scope_claim: str = "scope"

    # who is told
    webhook_url: str = Field(default="", description="Told of every finished job, by identifier; empty: nobody")
    webhook_secret: SecretStr = SecretStr("")
    otlp_endpoint: str = Field(
        default="", validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_ENDPOINT", "ELIGO_OTLP_ENDPOINT"), description="Collector of OpenTelemetry traces (OTLP over HTTP); empty: none"
    )
    log_level: str = "INFO"
    alive_file: Path | None = Field(default=None, description="Touched by a worker every second while it reaches Redis, for a container's health check")

    @property
    def keys_file(self) -> Path:
        return self.data_dir / "api-keys.json"

    @property
    def audit_file(self) -> Path:
        return self.data_dir / "audit.jsonl"


def load_settings() -> Settings:
    """Raises SettingsError naming each variable that is wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(f"ELIGO_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise SettingsError(f"settings are wrong: {wrong}") from None
    if settings.webhook_url and not settings.webhook_secret.get_secret_value():
        raise SettingsError("ELIGO_WEBHOOK_URL is set: set ELIGO_WEBHOOK_SECRET, too, so that what arrives there can be checked")
    return settings


def listed(value: str) -> list[str]:
    """The items of a comma-separated setting."""
    return [item.strip() for item in value.split(",") if item.strip()]
