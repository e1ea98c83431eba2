"""The command line and the environment (contract, section 9)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli import arguments
from core.config import Config
from core.options import OPTIONS, ConfigError


def parse(*given: str, **environment: str) -> Config:
    return arguments.parse(["--data-dir=/data", *given], environment, "1").config


def refusal(*given: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as refused:
        arguments.parse(given, environment, "1")
    return str(refused.value)


def test_a_flag_wins_over_a_variable_and_an_empty_variable_is_unset() -> None:
    config = parse(
        "--port=1", QUILLIUM_PORT="2", QUILLIUM_LOG_LEVEL="", QUILLIUM_TRUSTED_PROXY="yes"
    )
    assert (config.port, config.log_level, config.trusted_proxy) == (1, "INFO", True)
    assert parse(QUILLIUM_PORT="2").port == 2


def test_defaults() -> None:
    config = parse()
    assert (config.host, config.port, config.bcrypt_cost) == ("localhost", 8080, 12)
    assert (config.access_token_expiry, config.refresh_token_expiry) == (15, 7)
    assert arguments.parse([], {}, "1").config.data_dir.is_absolute()


def test_there_is_a_field_for_each_option() -> None:
    assert [option.name for option in OPTIONS] == list(Config.__dataclass_fields__)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_only_prefixed_variables_are_read(option: object) -> None:
    """A container that sets LOG_LEVEL or JWT_SECRET for another program must not set ours."""
    name = option.name.upper()  # type: ignore[attr-defined]
    if name != "PORT":
        assert parse(**{name: "\0 nothing that any setting takes", "ENABLE_METRICS": "x"})
    variable = option.variable  # type: ignore[attr-defined]
    assert variable == f"QUILLIUM_{name}"


@pytest.mark.parametrize(
    ("given", "environment", "port"),
    [
        ([], {"PORT": "2"}, 2),
        ([], {"PORT": "2", "QUILLIUM_PORT": "3"}, 3),
        (["--port=4"], {"PORT": "2", "QUILLIUM_PORT": "3"}, 4),
        (["--port=4"], {"PORT": "no number"}, 4),
        ([], {"PORT": ""}, 8080),
        (["--sidecar"], {"PORT": "2"}, 0),
        (["--sidecar"], {"PORT": "no number"}, 0),
        (["--sidecar"], {"QUILLIUM_PORT": "3"}, 3),
        (["--sidecar", "--port=4"], {}, 4),
        (["--sidecar"], {}, 0),
    ],
)
def test_the_port(given: list[str], environment: dict[str, str], port: int) -> None:
    assert parse(*given, **environment).port == port


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["frob"], "unknown command 'frob' (see --help)"),
        (["--data-dir=/data", "frob", "x"], "unknown command 'frob' (see --help)"),
        (["user", "frob"], "unknown command 'user frob' (see --help)"),
        ([""], "unknown command '' (see --help)"),
        (["\x1b[31m"], r"unknown command '\x1b[31m' (see --help)"),
        (["user"], "the following arguments are required: COMMAND (see --help)"),
        (["backup"], "the following arguments are required: FILE (see --help)"),
        (["check", "x"], "unrecognized arguments: x (see --help)"),
        (["--port"], "argument --port: expected one argument (see --help)"),
        (["--data-dir=~nosuch/x"], "--data-dir: expected a path without ~, because that home"),
        (["--log-file=~nosuch/x"], "--log-file: expected a path without ~, because that home"),
        (["--host="], "--host: expected a host name or an IP address, not ''"),
        (["--port=" + "9" * 10_000], "--port: expected a whole number from 0 to 65535, not '9"),
        (["--demo", "check"], "--demo can't be combined with the command check"),
    ],
)
def test_refusals(given: list[str], line: str) -> None:
    refused = refusal(*given)
    assert refused.startswith(line)
    assert len(refused) < 400


def test_a_secret_is_never_quoted() -> None:
    assert refusal("--jwt-secret=hunter2") == "--jwt-secret: expected at least 32 bytes"
    assert "hunter2" not in refusal(QUILLIUM_JWT_SECRET="hunter2")


def test_the_name_in_an_error_is_where_the_value_came_from() -> None:
    assert refusal(PORT="http").startswith("PORT: expected a whole number")
    assert refusal(QUILLIUM_PORT="http").startswith("QUILLIUM_PORT: expected a whole number")


def test_a_user_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_DATA_HOME", "USERPROFILE"):
        monkeypatch.delenv(variable, raising=False)
    import pwd

    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    assert refusal() == "this user has no home folder: name a data folder with --data-dir"
    assert refusal("--data-dir=~/x").startswith("--data-dir: expected a path without ~")
    assert parse().data_dir == Path("/data")
    assert arguments.parse(["--demo"], {}, "1").config.demo  # its folder is a temporary one


def test_a_current_folder_that_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert refusal("--data-dir=x").startswith("--data-dir: expected an absolute path")


def test_the_help_names_each_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse(["--help"], {}, "1")
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in OPTIONS:
        assert option.flag in text
        assert option.variable in text
    names = [word for word in re.split(r"[\s,:()]+", text) if word.endswith(".md")]
    assert names[0] == "settings.md"
    assert all((arguments.DOCS / name).is_file() for name in names)
    assert str(arguments.DOCS) in text.splitlines()


@pytest.mark.parametrize("flag", ["--data-dir", "--log-file", "--local-model"])
def test_an_empty_path_is_an_unset_shell_variable(flag: str) -> None:
    assert refusal(f"{flag}=") == f"{flag}: expected a value, not an empty one"
