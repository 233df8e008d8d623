"""What is kept is sealed, bound to its place, and opens under every key of the list."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.sealing import Sealer, SealError, load_sealer, new_key
from workers.settings import Settings, SettingsError

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(), st.text())
def test_what_was_sealed_opens_in_its_place(plain, place):
    sealer = Sealer([OLD])
    assert sealer.open(sealer.seal(plain, place), place) == plain


def test_it_does_not_open_in_another_place_or_when_changed():
    sealed = Sealer([OLD]).seal(b"note", "job1:notes:0")
    for spoiled, place in ((sealed, "job2:notes:0"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "job1:notes:0"), (sealed[:10], "job1:notes:0"), (b"", "job1:notes:0")):
        with pytest.raises(SealError):
            Sealer([OLD]).open(spoiled, place)


def test_keys_rotate():
    sealed = Sealer([OLD]).seal(b"note", "p")
    assert Sealer([NEW, OLD]).open(sealed, "p") == b"note"
    with pytest.raises(SealError, match="add the old key"):
        Sealer([NEW]).open(sealed, "p")
    assert Sealer([NEW]).open(Sealer([NEW, OLD]).seal(b"note", "p"), "p") == b"note"


def test_the_same_note_never_looks_the_same():
    assert Sealer([OLD]).seal(b"note", "p") != Sealer([OLD]).seal(b"note", "p")


def test_a_key_is_made_for_the_embedded_redis_and_kept_private(tmp_path):
    sealed = load_sealer(Settings(data_dir=tmp_path)).seal(b"note", "p")
    assert load_sealer(Settings(data_dir=tmp_path)).open(sealed, "p") == b"note"
    assert (tmp_path / "encryption.key").stat().st_mode & 0o777 == 0o600


def test_processes_that_begin_at_once_have_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: load_sealer(Settings(data_dir=tmp_path)), range(32)))
    sealed = sealers[0].seal(b"note", "p")
    assert [sealer.open(sealed, "p") for sealer in sealers] == [b"note"] * 32
    assert [path.name for path in tmp_path.iterdir()] == ["encryption.key"]


def test_a_key_must_be_named_for_a_real_redis(tmp_path, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://localhost/0")
    with pytest.raises(SettingsError, match="ELIGO_ENCRYPTION_KEYS"):
        load_sealer(Settings(data_dir=tmp_path))
    monkeypatch.setenv("ELIGO_ENCRYPTION_KEYS", f"{new_key()}, {new_key()}")
    load_sealer(Settings(data_dir=tmp_path))
    monkeypatch.setenv("ELIGO_ENCRYPTION_KEYS", "short")
    with pytest.raises(SettingsError, match="32 bytes"):
        load_sealer(Settings(data_dir=tmp_path))
