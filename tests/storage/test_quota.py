"""The quota of an account, and the reserve on the disk."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from core import fairness
from core.errors import QuotaExceeded, StorageUnavailable
from core.records import User
from storage import chats, imports, quota, settings
from storage.connection import Connection
from tests.storage import facts

MIB = 1 << 20


def allow(connection: Connection, mib: int) -> None:
    settings.replace_of_server(connection, {"storage_per_user_mib": mib}, facts.NOW)


def test_what_exceeds_the_quota_is_refused(connection: Connection, owner: User) -> None:
    other = facts.user(connection, "bob")
    allow(connection, 1)
    facts.chat(connection, owner)
    facts.say(connection, owner, "é" * (MIB // 2))  # exactly a mebibyte
    with pytest.raises(QuotaExceeded):
        facts.say(connection, owner, "x")
    with pytest.raises(QuotaExceeded):
        imports.append(connection, owner.row_id, 1, [facts.message("x")], 0)
    quota.check(connection, other.row_id, MIB)  # has a quota of its own
    chats.delete(connection, owner.row_id, "chat_1")  # frees it
    facts.chat(connection, owner, "chat_2")
    facts.say(connection, owner, "x", "chat_2")


def test_no_limit_and_the_default(connection: Connection, owner: User) -> None:
    too_much = (fairness.STORAGE_MIB_EACH << 20) + 1
    with pytest.raises(QuotaExceeded):
        quota.check(connection, owner.row_id, too_much)
    allow(connection, 0)
    quota.check(connection, owner.row_id, too_much)


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="the reserve needs statvfs")
def test_a_disk_that_is_nearly_full(
    connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts.chat(connection, owner)
    disk = SimpleNamespace(f_blocks=1 << 20, f_frsize=4096, f_bavail=10_000)
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", lambda path: disk)
        with pytest.raises(StorageUnavailable):
            facts.say(connection, owner, "x")
        chats.delete(connection, owner.row_id, "chat_1")  # works on a full disk
        disk.f_bavail = 20_000
        facts.chat(connection, owner)
        facts.say(connection, owner, "x")


def test_system_prompts_count(connection: Connection, owner: User) -> None:
    allow(connection, 1)
    prompt = "é" * 20_000
    new = chats.NewChat("", "t", True, "m", facts.NOW, prompt, "{}")
    fitting = [f"chat_{number}" for number in range(MIB // 40_000)]
    for id in fitting:
        chats.add(connection, owner.row_id, new._replace(id=id))
    with pytest.raises(QuotaExceeded):
        chats.add(connection, owner.row_id, new._replace(id="chat_a"))
    with pytest.raises(QuotaExceeded):
        imports.add(connection, owner.row_id, new._replace(id="chat_i"), facts.NOW, [])
    chats.update(connection, owner.row_id, fitting[0], {"title": "Renamed"}, facts.NOW)
    chats.update(connection, owner.row_id, fitting[0], {"system_prompt": None}, facts.NOW)
    chats.update(connection, owner.row_id, fitting[0], {"system_prompt": prompt}, facts.NOW)
    with pytest.raises(QuotaExceeded):
        chats.update(connection, owner.row_id, fitting[1], {"system_prompt": prompt}, facts.NOW)
