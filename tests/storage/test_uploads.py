"""Files in pieces: who finds them, when they are given up, and that removing them leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import fairness
from core.errors import Conflict, NotFound, QuotaExceeded
from core.records import File, Message, User
from storage import chats, erasure, hidden_chats, messages, turns, uploads, users
from storage.connection import Connection
from storage.uploads import NewFile
from tests.storage import facts
from tests.storage.facts import NOW, chat, message
from tests.storage.test_erasure import content

SECRET = "zyzzyva"


def store(
    connection: Connection, owner: User, id: str = "file_1", text: str = "hello", name: str = ""
) -> File:
    new = NewFile(id, name or f"{id}.txt", NOW)
    return uploads.complete(connection, owner.row_id, new, text.encode(), "text/plain")


def send(connection: Connection, owner: User, *file_ids: str) -> Message:
    return turns.add_message(connection, owner.row_id, message(), file_ids=file_ids).message


def stored_bytes(connection: Connection) -> int:
    count: int = connection.execute("SELECT storage_bytes FROM users").fetchone()[0]
    return count


def remove_all(connection: Connection) -> None:
    while not uploads.remove_slice(connection):
        pass


def test_a_file_is_visible_when_it_is_complete(connection: Connection, owner: User) -> None:
    new = NewFile("file_1", "a.txt", NOW)
    row_id = uploads.append(connection, owner.row_id, new, b"first ")
    assert uploads.append(connection, owner.row_id, new, b"second ") == row_id
    with pytest.raises(NotFound):
        uploads.find(connection, owner.row_id, "file_1")
    file = uploads.complete(connection, owner.row_id, new, b"third", "text/plain")
    assert file == File("file_1", "a.txt", "text/plain", 18, NOW)
    assert uploads.find(connection, owner.row_id, "file_1") == (row_id, file)
    pieces = [uploads.piece(connection, row_id, position) for position in range(4)]
    assert pieces == [b"first ", b"second ", b"third", None]
    assert stored_bytes(connection) == 18


def test_a_file_that_ends_with_a_piece_has_no_empty_one(
    connection: Connection, owner: User
) -> None:
    new = NewFile("file_1", "a.txt", NOW)
    row_id = uploads.append(connection, owner.row_id, new, b"all")
    assert uploads.complete(connection, owner.row_id, new, b"", "text/plain").size == 3
    assert uploads.piece(connection, row_id, 1) is None


def test_files_of_others(connection: Connection, owner: User) -> None:
    bob = facts.user(connection, "bob")
    store(connection, bob)
    chat(connection, owner)
    with pytest.raises(NotFound):
        uploads.find(connection, owner.row_id, "file_1")
    with pytest.raises(NotFound):
        uploads.delete(connection, owner.row_id, "file_1")
    with pytest.raises(NotFound):
        send(connection, owner, "file_1")


def test_the_quota(connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "STORAGE_MIB_EACH", 1)
    new = NewFile("file_1", "a.txt", NOW)
    uploads.append(connection, owner.row_id, new, b"x" * (1 << 19))
    with pytest.raises(QuotaExceeded):
        uploads.append(connection, owner.row_id, new, b"x" * ((1 << 19) + 1))
    uploads.abandon(connection, "file_1")
    assert stored_bytes(connection) == 0


def test_a_message_lists_its_files(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    files = [store(connection, owner, id) for id in ("file_2", "file_1")]
    sent = send(connection, owner, "file_2", "file_1")
    assert sent.attachments == tuple(files)
    row_id = chats.check(connection, owner.row_id, "chat_1")
    assert messages.everything(connection, row_id) == [sent]
    with pytest.raises(Conflict):
        uploads.delete(connection, owner.row_id, "file_1")


def test_a_client_id_with_other_files(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    store(connection, owner)
    for file_ids in ((), ["file_1"]):
        said = message(client_id=f"c{len(file_ids)}")
        first = turns.add_message(connection, owner.row_id, said, file_ids=file_ids)
        again = turns.add_message(connection, owner.row_id, said, file_ids=file_ids)
        assert (again.message, again.is_new) == (first.message, False)
        store(connection, owner, f"again_{len(file_ids)}", name="file_1.txt")
        same = [f"again_{len(file_ids)}"] if file_ids else []
        again = turns.add_message(connection, owner.row_id, said, file_ids=same)
        assert (again.message, again.is_new) == (first.message, False)
        other = ["file_1"] if not file_ids else []
        with pytest.raises(Conflict):
            turns.add_message(connection, owner.row_id, said, file_ids=other)


def test_a_file_goes_with_its_last_message(connection: Connection, owner: User) -> None:
    store(connection, owner)
    for id in ("chat_1", "chat_2"):
        chat(connection, owner, id)
        said = message(chat_id=id)
        turns.add_message(connection, owner.row_id, said, file_ids=["file_1"])
    chats.delete(connection, owner.row_id, "chat_1")
    assert not uploads.are_given_up(connection)
    chats.delete(connection, owner.row_id, "chat_2")
    with pytest.raises(NotFound):
        uploads.find(connection, owner.row_id, "file_1")
    assert stored_bytes(connection) == 0
    remove_all(connection)
    assert not uploads.are_given_up(connection)
    assert connection.execute("SELECT COUNT(*) FROM file_pieces").fetchone() == (0,)


def test_files_of_a_chat_that_is_being_deleted(
    connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are gone at once, also if deleting the chat takes several slices."""
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", 0.0)
    chat(connection, owner)
    store(connection, owner)
    send(connection, owner, "file_1")
    send(connection, owner)
    hidden = chats.delete(connection, owner.row_id, "chat_1").hidden
    assert hidden is not None
    for use in (uploads.find, uploads.delete):
        with pytest.raises(NotFound):
            use(connection, owner.row_id, "file_1")
    assert uploads.find_importing(connection, owner.row_id, "file_1")
    assert hidden_chats.remove_slice(connection, hidden) or uploads.are_given_up(connection)


def test_a_deleted_account_leaves_no_file(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    for id in ("file_1", "file_2"):
        store(connection, owner, id)
    send(connection, owner, "file_1")
    users.delete(connection, owner.row_id)
    remove_all(connection)
    assert connection.execute("SELECT COUNT(*) FROM files").fetchone() == (0,)


def test_removing_takes_several_slices(
    connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SLICE_SECONDS", 0.0)
    new = NewFile("file_1", "a.txt", NOW)
    for _ in range(3):
        uploads.append(connection, owner.row_id, new, b"piece")
    uploads.abandon(connection, "file_1")
    with pytest.raises(NotFound):  # a piece that was under way
        uploads.append(connection, owner.row_id, new, b"piece")
    assert not uploads.remove_slice(connection)
    assert connection.execute("SELECT COUNT(*) FROM file_pieces").fetchone() == (2,)
    remove_all(connection)
    assert not uploads.are_given_up(connection)


def test_what_a_crash_cut_off_is_given_up(connection: Connection, owner: User) -> None:
    store(connection, owner)
    uploads.append(connection, owner.row_id, NewFile("file_2", "b", NOW), b"half")
    uploads.abandon_all(connection)
    remove_all(connection)
    rows = connection.execute("SELECT id FROM files").fetchall()
    assert rows == [("file_1",)]
    uploads.abandon(connection, "file_1")  # complete: too late
    assert not uploads.are_given_up(connection)


def test_a_file_that_nobody_attaches_ages(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    for id in ("file_1", "file_2"):
        store(connection, owner, id)
    for _ in range(uploads.UNUSED_HOURS):
        uploads.age(connection)
    assert not uploads.are_given_up(connection)
    send(connection, owner, "file_1")
    uploads.age(connection)
    remove_all(connection)
    rows = connection.execute("SELECT id FROM files").fetchall()
    assert rows == [("file_1",)]


def test_a_deleted_file_leaves_no_trace(
    connection: Connection, owner: User, tmp_path: Path
) -> None:
    store(connection, owner, text=f"the {SECRET} " * 50_000)
    store(connection, owner, SECRET)
    assert SECRET.encode() in content(connection, tmp_path)
    for id in ("file_1", SECRET):
        uploads.delete(connection, owner.row_id, id)
    erasure.erase(connection)
    assert SECRET.encode() not in content(connection, tmp_path)
