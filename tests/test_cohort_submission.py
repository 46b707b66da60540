"""A submission is the texts of the files that the index names; whatever else lies there is told, or left alone."""

import os
from dataclasses import replace

import pytest
from repositories import blob, commit_tree, make_repository
from repositories import git as as_ada

from graders.cohort.submission import (
    Submission,
    fetch_submission,
    file_names,
    names_for,
    read_folder,
    subject_hash,
)

TEXT = "x = 1\n"


def both(folder):
    """A submission read from a folder, and the same folder's read from its newest commit."""
    read, committed = read_folder(folder), fetch_submission(str(folder))
    assert read == replace(committed, commit="", committed_at="")
    return committed


def test_the_texts_of_the_index_are_read_and_nothing_else(tmp_path):
    names = ["exercises/attention.py", "exercises/config.py", "exercises/conftest.py", "attention.py", "pyproject.toml"]
    names += ["exercises/__init__.py", "exercises/torch.py", "graders/course.toml", "exercises/deep/attention.py"]
    found = both(make_repository(tmp_path, dict.fromkeys(names, TEXT)))
    assert (found.files, found.problems) == ({"config": TEXT, "attention": TEXT}, {})
    assert found.commit == as_ada(tmp_path, "rev-parse", "HEAD")
    assert found.committed_at == "2026-09-01T12:00:00+00:00"


def test_files_that_are_not_there_are_neither_files_nor_problems(tmp_path):
    assert both(make_repository(tmp_path, {"README.md": "hello"})).files == {}


def test_the_mark_and_the_ends_of_lines_that_an_editor_chose_make_no_difference(tmp_path):
    found = both(make_repository(tmp_path, {"exercises/mlp.py": b"\xef\xbb\xbfx = 1\r\ny = 2\r\n"}))
    assert found.files == {"mlp": "x = 1\ny = 2\n"}


def test_an_executable_file_is_a_file(tmp_path):
    ada = make_repository(tmp_path, {"exercises/mlp.py": TEXT})
    (ada / "exercises" / "mlp.py").chmod(0o755)
    as_ada(ada, "commit", "--quiet", "--all", "--message=x")
    assert both(ada).files == {"mlp": TEXT}


def as_a_link(path):
    path.symlink_to("/etc/passwd")


def as_a_link_to_a_sibling(path):
    (path.parent / "mine.py").write_text(TEXT)
    path.symlink_to("mine.py")


def as_a_link_to_nothing(path):
    path.symlink_to("nothing")


def as_a_folder(path):
    path.mkdir()
    (path / "x.py").write_text(TEXT)


def as_too_large(path):
    path.write_bytes(b"#" * 256_001)


def as_latin_1(path):
    path.write_bytes("# é".encode("latin-1"))


def as_lfs(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


LINK = "is not a plain file but a link; put the text itself there"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (as_a_link, LINK),
        (as_a_link_to_a_sibling, LINK),
        (as_a_link_to_nothing, LINK),
        (as_a_folder, "is not a plain file but a folder; put the text itself there"),
        (as_too_large, "is 257 kB; expected at most 256 kB"),
        (as_latin_1, "is not UTF-8 (byte 3); save it as UTF-8"),
        (as_lfs, "is a pointer of Git LFS, which is not fetched; commit the text itself"),
    ],
)
def test_what_is_no_text_of_a_sensible_size_is_a_problem_of_that_file_alone(make, why, tmp_path):
    ada = make_repository(tmp_path, {"exercises/mlp.py": TEXT})
    make(ada / "exercises" / "attention.py")
    as_ada(ada, "add", "--all")
    as_ada(ada, "commit", "--quiet", "--message=x")
    found = both(ada)
    assert (found.files, found.problems) == ({"mlp": TEXT}, {"attention": f"exercises/attention.py {why}"})


def test_a_file_of_the_largest_size_is_taken(tmp_path):
    assert both(make_repository(tmp_path, {"exercises/mlp.py": "#" * 256_000})).problems == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    (tmp_path / "exercises").mkdir()
    os.mkfifo(tmp_path / "exercises" / "mlp.py")
    said = "exercises/mlp.py is not a plain file but a device or a pipe; put the text itself there"
    assert read_folder(tmp_path).problems == {"mlp": said}


def test_a_submodule_in_place_of_a_file_is_a_problem(tmp_path):
    ada = make_repository(tmp_path, {"README.md": ""})
    folder = as_ada(ada, "mktree", "--missing", stdin=f"160000 commit {'1' * 40}\tmlp.py\n".encode())
    commit_tree(ada, f"040000 tree {folder}\texercises\n")
    said = "exercises/mlp.py is not a plain file but a submodule; put the text itself there"
    assert fetch_submission(str(ada)).problems == {"mlp": said}


@pytest.mark.parametrize(("kind", "said"), [("a file", "a file"), ("a link", "a link")])
def test_exercises_that_is_no_folder_is_a_problem_of_every_file(kind, said, tmp_path):
    ada = make_repository(tmp_path / "ada", {"elsewhere/mlp.py": TEXT})
    if kind == "a link":
        (ada / "exercises").symlink_to("elsewhere")
    else:
        (ada / "exercises").write_text("here")
    as_ada(ada, "add", "--all")
    as_ada(ada, "commit", "--quiet", "--message=x")
    found = both(ada)
    told = f"exercises is not a folder but {said}, so no file was taken from it; make it a folder"
    assert (found.files, found.problems) == ({}, dict.fromkeys(file_names(), told))


def test_exercises_that_is_a_submodule_is_told(tmp_path):
    ada = make_repository(tmp_path, {"README.md": ""})
    commit_tree(ada, f"160000 commit {'1' * 40}\texercises\n")
    assert "is not a folder but a submodule" in fetch_submission(str(ada)).problems["mlp"]


def test_a_name_in_another_case_is_another_file(tmp_path):
    ada = make_repository(tmp_path, {"README.md": ""})
    folder = as_ada(ada, "mktree", stdin=f"100644 blob {blob(ada, b'x')}\tMLP.py\n".encode())
    commit_tree(ada, f"040000 tree {folder}\texercises\n")
    assert fetch_submission(str(ada)).files == {}


def test_an_exercise_rests_on_itself_on_what_it_needs_and_on_what_is_given():
    assert names_for("mlp") == ("config", "chain", "mlp")
    assert names_for("gpt") == ("config", "chain", "embedding", "layer_norm", "attention", "mlp", "block", "gpt")


FILES = dict.fromkeys(file_names(), TEXT)


@pytest.mark.parametrize("name", names_for("block"))
def test_the_hash_changes_with_every_file_that_the_exercise_rests_on(name):
    changed = [Submission(FILES | {name: "y"}), Submission(FILES, {name: "is large"})]
    changed += [Submission({other: text for other, text in FILES.items() if other != name})]
    hashes = {subject_hash(submission, "block") for submission in (Submission(FILES), *changed)}
    assert len(hashes) == 4


def test_the_hash_does_not_change_with_other_files_nor_with_the_commit():
    other = Submission(FILES | {"tensors": "y"}, {"gpt": "is large"}, "abc", "2026-09-01T12:00:00+00:00")
    assert subject_hash(other, "block") == subject_hash(Submission(FILES), "block")


def test_text_cannot_move_from_one_file_into_the_next_under_the_same_hash():
    one = Submission({"config": 'a", "chain', "chain": "b"})
    other = Submission({"config": "a", "chain": 'chain", "b'})
    assert subject_hash(one, "mlp") != subject_hash(other, "mlp")
