"""The configuration of the process. `core.options` describes each setting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """One value for each option of `core.options.OPTIONS`."""

    host: str
    port: int
    data_dir: Path
    new_database: bool
    base_path: str  # such as `/quillium`; empty for the root
    cors_allowed_origins: frozenset[str]
    allowed_hosts: frozenset[str]
    trusted_proxy: bool
    jwt_secret: str | None
    access_token_expiry: int  # minutes
    refresh_token_expiry: int  # days
    session_max_days: int
    rate_limit: int | None  # requests per minute; None for the default
    no_discovery: bool
    local_model: Path | None
    preload: bool
    dev: bool
    seed: tuple[Path, ...]
    deterministic: bool
    record: Path | None
    replay: Path | None
    demo: bool
    demo_password: str | None
    demo_pace: int | None  # tokens a second
    open: bool
    sidecar: bool
    brand: Path | None
    metrics: bool
    log_level: str
    log_format: str
    log_file: Path | None
    bcrypt_cost: int
    check_responses: bool

    @property
    def is_temporary(self) -> bool:
        """Whether the data folder is created at the start and removed at the end."""
        return self.demo or (bool(self.seed) and self.data_dir == Path())
