"""The secret and the version of a grader: never shown, and different for whatever makes a verdict different."""

import ast
import os
import stat
import subprocess
import sys

import pytest

from graders.cohort import versions
from graders.cohort.secret import VARIABLE, SecretError, pseudonym, read_secret, seed_of, seed_policy
from graders.cohort.versions import grader_version, reader_version
from graders.engine.course import ROOT


@pytest.fixture(autouse=True)
def no_secret_in_the_environment(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    made = read_secret(tmp_path / "secret.key")
    assert len(made) == 64
    assert read_secret(tmp_path / "secret.key") == made
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_secret_that_others_can_read_is_refused(tmp_path):
    read_secret(tmp_path / "secret.key")
    (tmp_path / "secret.key").chmod(0o644)
    with pytest.raises(SecretError, match=r"can be read by others \(mode 644\): chmod 600"):
        read_secret(tmp_path / "secret.key")


def test_the_environment_stands_before_the_file_and_neither_may_be_short(tmp_path, monkeypatch):
    path = tmp_path / "secret.key"
    monkeypatch.setenv(VARIABLE, "0123456789abcdef\n")
    assert read_secret(path) == b"0123456789abcdef"
    assert not path.exists()
    monkeypatch.setenv(VARIABLE, "hunter2")
    with pytest.raises(SecretError, match="in the environment has 7 characters, expected at least 16") as told:
        read_secret(path)
    assert "hunter2" not in str(told.value)


def test_a_secret_that_cannot_be_made_is_said_so(tmp_path):
    with pytest.raises(SecretError, match=f"could not be made .*or set {VARIABLE}"):
        read_secret(tmp_path / "nowhere" / "secret.key")


def test_seeds_differ_by_secret_exercise_and_text_and_fit_into_a_column():
    seeds = {seed_of(key, e, t) for key in (b"a" * 16, b"b" * 16) for e in ("mlp", "gpt") for t in ("0", "1")}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_what_is_shown_of_the_secret_is_not_the_secret():
    secret = b"a" * 32
    assert seed_policy(secret) != seed_policy(b"b" * 32)
    assert "a" * 8 not in seed_policy(secret) + pseudonym(secret, "ada")
    assert pseudonym(secret, "ada") != pseudonym(secret, "bob")


def test_a_version_covers_what_the_verdict_rests_on(monkeypatch):
    def version_with(name, exercise="attention"):
        read = versions._file_digest.__wrapped__
        for cached in (grader_version, versions._file_digest):
            cached.cache_clear()
        monkeypatch.setattr(
            versions, "_file_digest", lambda path: b"other" if path.relative_to(ROOT).as_posix() == name else read(path)
        )
        try:
            return grader_version(exercise)
        finally:
            monkeypatch.undo()
            grader_version.cache_clear()

    now = version_with("")
    assert now.partition("+")[0] == "0.1.0"
    for name in (
        "graders/test_attention.py",
        "graders/misconceptions/attention.py",
        "reference/attention.py",
        "reference/config.py",
        "graders/engine/trial.py",
        "graders/engine/worker/perform.py",
        "graders/engine/worker/warm.py",
        "graders/cohort/grading.py",
        "graders/cohort/sandbox.py",
        "graders/weights/shakespeare/model.safetensors",
    ):
        assert version_with(name) != now, name
    assert version_with("graders/test_mlp.py") == now
    assert grader_version("attention", "extra") != now


def test_no_import_is_overlooked():
    for package in versions.OURS:
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            above = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
            imported = set()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    package_of = above[: len(above) + 1 - node.level] if node.level else []
                    base = ".".join([*package_of, *filter(None, [node.module])])
                    imported |= {base} | {f"{base}.{alias.name}" for alias in node.names}
            assert set(filter(versions._is_ours, imported)) <= set(versions._imports(module)), module


def test_versions_are_found_without_importing_torch():
    code = (
        "import sys; from graders.cohort.versions import *; grader_version('gpt'); print('torch' in sys.modules); "
        "import graders.cohort.run, graders.commands.cohort.grade; print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
    assert len(reader_version()) == 8
