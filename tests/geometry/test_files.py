"""Files are written as a whole or not at all, wherever they are."""

import os
import stat
import threading

import pytest

from geometry._files import whole_file, write_whole


def test_a_file_and_a_new_one_in_its_place(tmp_path):
    for content in (b"one", b"two"):
        write_whole(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert os.listdir(tmp_path) == ["file"]


def test_permissions_are_those_of_any_new_file_and_stay(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write_whole(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "file").chmod(0o600)
    write_whole(tmp_path / "file", b"more")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", b"one")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"one"


def test_a_long_name(tmp_path):
    write_whole(tmp_path / ("n" * 255), b"one")
    assert (tmp_path / ("n" * 255)).read_bytes() == b"one"


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    for path, error in ((tmp_path / "folder", IsADirectoryError), (tmp_path / "none" / "file", FileNotFoundError)):
        with pytest.raises(error):
            write_whole(path, b"one")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_whole(tmp_path / "pipe", b"one")
    reader.join(10)
    assert read == [b"one"]


def test_what_fails_in_the_middle_leaves_what_was(tmp_path):
    write_whole(tmp_path / "file", b"one")

    def broken():
        with whole_file(tmp_path / "file") as file:
            file.write(b"two" * 10_000)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert (tmp_path / "file").read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]


def test_the_content_is_on_the_disk_before_its_name_is(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append((tmp_path / "file").exists()))
    write_whole(tmp_path / "file", b"one")
    assert seen[0] is False
    assert seen[1:] == [True]  # then its folder


def test_a_link_in_the_way_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("geometry._files.secrets.token_hex", lambda size: "guessed")
    (tmp_path / ".guessed.new").symlink_to("victim")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", b"one")
    assert os.listdir(tmp_path) == [".guessed.new"]
