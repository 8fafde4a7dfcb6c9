"""Files with addresses: brought here and removed, put there whole, told of in one sentence."""

import stat
from pathlib import Path

import fsspec
import pytest

from batch.buckets import brought_here, is_address, local_place, put, remove, with_addresses
from data.errors import FileError


@pytest.fixture
def bucket():
    """An empty bucket of fsspec's own, in memory."""
    system = fsspec.filesystem("memory")
    yield system
    for path in system.find("/"):
        system.rm(path)


def test_a_copy_is_this_users_alone_and_goes_when_the_block_ends(bucket, tmp_path: Path):
    bucket.pipe("/exports/север.csv", "текст\nЯма на дороге\n".encode())
    with brought_here(["memory://exports/север.csv", "here.csv"], tmp_path) as (copy, here):
        assert (copy.name, copy.read_text(encoding="utf-8")) == ("север.csv", "текст\nЯма на дороге\n")
        assert stat.S_IMODE(copy.stat().st_mode) & 0o077 == 0
        assert here == Path("here.csv")
    assert not copy.exists()


def test_the_copy_goes_too_where_the_block_fails(bucket, tmp_path: Path):
    bucket.pipe("/exports/a.csv", b"x")
    with pytest.raises(ZeroDivisionError), brought_here(["memory://exports/a.csv"], tmp_path):
        raise ZeroDivisionError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_is_put_is_there_and_can_be_put_again(bucket, tmp_path: Path):
    file = tmp_path / "decisions.csv"
    for content in ("one", "two"):
        file.write_text(content)
        put(file, "memory://new/folder/decisions.csv")
        assert bucket.cat("/new/folder/decisions.csv") == content.encode()
    remove("memory://new/folder/decisions.csv")
    remove("memory://new/folder/decisions.csv")
    assert not bucket.exists("/new/folder/decisions.csv")


def test_a_file_whose_writing_broke_off_is_not_there(tmp_path: Path):
    gone = tmp_path / "gone.csv"
    with pytest.raises(FileError, match=r"file://.*/there/d\.csv: cannot be written: there is no such file"):
        put(gone, f"file://{tmp_path}/there/d.csv")
    assert not (tmp_path / "there" / "d.csv").exists()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("memory://exports/none.csv", r"memory://exports/none\.csv: cannot be read: there is no such file"),
        ("nosuch://bucket/a.csv", "nosuch://bucket/a.csv: cannot be reached: Protocol not known: nosuch"),
        ("gs://bucket/a.csv", "gs://bucket/a.csv: cannot be reached: .*install gcsfs"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(bucket, tmp_path: Path, address: str, message: str):
    with pytest.raises(FileError, match=message), brought_here([address], tmp_path):
        pass


def test_messages_name_the_address_and_not_the_copy(tmp_path: Path):
    address = "s3://exports/2026/north.csv"
    copy = local_place(address, tmp_path)
    told = with_addresses(f"{copy}: 1 chunk failed → {copy.with_suffix('.failed.csv')}", [address, "b.csv"], tmp_path)
    assert told == "s3://exports/2026/north.csv: 1 chunk failed → s3://exports/2026/north.failed.csv"


def test_a_path_is_no_address():
    assert [is_address(name) for name in ("s3://a/b.csv", "a/b.csv", "C:\\a.csv")] == [True, False, False]
