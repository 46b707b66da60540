"""A repository is fetched as objects only; whatever it holds, and whatever its address is, the run goes on."""

import pytest
from repositories import blob, commit, commit_tree, make_repository
from repositories import git as as_ada

from graders.cohort import fetch as fetching
from graders.cohort.fetch import PROXIES, TOKEN, TOKEN_HOST, FetchError, fetch, git, newest_commit, refusal
from graders.cohort.submission import fetch_submission

FILES = {"exercises/attention.py": "x = 1\n"}


def fetched(repository, tmp_path, **options):
    into = tmp_path / "fetched"
    into.mkdir()
    return fetch(str(repository), into, **options)


def refused(repository, tmp_path, **options) -> str:
    with pytest.raises(FetchError) as error:
        fetched(repository, tmp_path, **options)
    return str(error.value)


def test_the_newest_commit_and_its_time_in_utc_are_told(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    commit(ada, {"exercises/mlp.py": ""}, at="2026-09-02T14:00:00+02:00")
    found = fetched(ada, tmp_path)
    assert (found.commit, found.committed_at) == (as_ada(ada, "rev-parse", "HEAD"), "2026-09-02T12:00:00+00:00")


def test_nothing_older_is_fetched_and_nothing_is_checked_out(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    before = as_ada(ada, "rev-parse", "HEAD")
    commit(ada, {"exercises/mlp.py": ""})
    fetched(ada, tmp_path)
    with pytest.raises(FetchError):
        git(tmp_path / "fetched", "cat-file", "-e", before)
    assert list((tmp_path / "fetched").rglob("*.py")) == []


def test_a_bare_repository_and_a_detached_head_are_fetched(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    as_ada(tmp_path, "clone", "--quiet", "--bare", str(ada), "bare")
    as_ada(ada, "checkout", "--quiet", "--detach")
    for number, repository in enumerate([ada, tmp_path / "bare"]):
        (tmp_path / str(number)).mkdir()
        assert fetched(repository, tmp_path / str(number)).commit == as_ada(ada, "rev-parse", "HEAD")
        assert newest_commit(str(repository)) == as_ada(ada, "rev-parse", "HEAD")


def test_a_repository_without_a_commit_has_no_newest_one(tmp_path):
    as_ada(tmp_path, "init", "--quiet", "ada")
    assert newest_commit(str(tmp_path / "ada")) == ""
    ada = make_repository(tmp_path / "bob", FILES)
    as_ada(ada, "symbolic-ref", "HEAD", "refs/heads/empty")  # there are commits, of another branch
    assert newest_commit(str(ada)) == ""


def test_of_many_branches_only_the_newest_commit_is_told(tmp_path, monkeypatch):
    ada = make_repository(tmp_path / "ada", FILES)
    head = as_ada(ada, "rev-parse", "HEAD")
    tags = "".join(f"{head} refs/tags/{number}\n" for number in range(1000))
    (ada / ".git" / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted\n{tags}")
    as_ada(ada, "config", "transfer.hideRefs", "!refs/")  # the repository would have it otherwise
    told = []
    monkeypatch.setattr(fetching, "git", lambda *args, **options: told.append(git(*args, **options)) or told[-1])
    assert newest_commit(str(ada)) == head
    assert len(told[-1]) < 1000


def test_what_is_no_repository_has_no_newest_commit(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FetchError, match="could not be fetched: it is no git repository"):
        newest_commit(str(tmp_path / "empty"))


@pytest.mark.parametrize(
    "repository",
    [
        "https://example.org/ada/headstart",
        "https://example.org:8443/ada/headstart.git",
        "ssh://git@example.org/ada/headstart",
        "ssh://example.org:2222/~ada/headstart",
        "git@example.org:ada/headstart.git",
        "learners/ada",
        "/srv/learners/ada lovelace",
        "../ada",
    ],
)
def test_https_ssh_and_paths_are_taken(repository):
    assert refusal(repository) == ""


@pytest.mark.parametrize(
    ("repository", "why"),
    [
        ("", "is empty"),
        ("--upload-pack=touch /tmp/x", "begins with a dash"),
        ("-oProxyCommand=x:y", "begins with a dash"),
        ("ext::sh -c touch% /tmp/x", "is of no form that is taken"),
        ("fd::17", "is of no form that is taken"),
        ("file:///etc", "is of no form that is taken"),
        ("http://example.org/ada", "is of no form that is taken"),
        ("git://example.org/ada", "is of no form that is taken"),
        ("ftp://example.org/ada", "is of no form that is taken"),
        ("ssh://-oProxyCommand=x/ada", "is of no form that is taken"),
        ("ssh://-oProxyCommand=x@example.org/ada", "is of no form that is taken"),
        ("ssh://example.org/-x", "has a path that begins with a dash"),
        ("git@example.org:-x", "has a path that begins with a dash"),
        ("git@example.org::x", "is of no form that is taken"),
        ("https://ada:secret@example.org/x", "has a user or a password in it"),
        ("https://token@example.org/x", "has a user or a password in it"),
        ("ssh://ada:secret@example.org/x", "has a password in it"),
        ("https://example.org/x\n--upload-pack=y", "has blanks at its ends, or characters that cannot be seen"),
        (" learners/ada", "has blanks at its ends, or characters that cannot be seen"),
        ("learners/\u202eada", "has blanks at its ends, or characters that cannot be seen"),
    ],
)
def test_whatever_else_is_refused_and_the_refusal_says_why(repository, why, tmp_path):
    assert refusal(repository).startswith(why)
    said = refused(repository, tmp_path)
    assert f"was not fetched: it {why}" in said
    assert "\n" not in said
    assert "secret" not in said


def test_an_option_in_place_of_a_repository_runs_nothing(tmp_path):
    refused(f"--upload-pack=touch {tmp_path}/ran", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    said = refused(tmp_path / "nobody", tmp_path)
    assert said.endswith("nobody' could not be fetched: there is no such folder")


def test_a_folder_that_is_no_repository_is_one_sentence(tmp_path):
    (tmp_path / "plain").mkdir()
    assert refused(tmp_path / "plain", tmp_path).endswith("could not be fetched: it is no git repository")


def test_a_folder_inside_another_repository_is_none_itself(tmp_path):
    make_repository(tmp_path / "lead", FILES)
    (tmp_path / "lead" / "learners").mkdir()
    assert refused(tmp_path / "lead" / "learners", tmp_path).endswith("it is no git repository")


def test_a_file_in_place_of_a_repository_is_not_taken_for_a_bundle(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    as_ada(ada, "bundle", "create", "--quiet", "../ada.bundle", "main")
    assert refused(tmp_path / "ada.bundle", tmp_path).endswith("there is no such folder")


def test_a_path_that_no_system_takes_is_no_folder_either(tmp_path):
    assert refused("a" * 5000, tmp_path).endswith("there is no such folder")


def test_a_repository_without_a_commit_says_so(tmp_path):
    (tmp_path / "ada").mkdir()
    as_ada(tmp_path / "ada", "init", "--quiet")
    assert refused(tmp_path / "ada", tmp_path).endswith("could not be fetched: it has no commit yet")


def test_a_server_that_cannot_be_reached_is_one_sentence(tmp_path, monkeypatch):
    for name in PROXIES:  # one of these would answer in its place
        monkeypatch.delenv(name, raising=False)
    said = refused("https://127.0.0.1:9/ada", tmp_path)
    assert said == "the repository 'https://127.0.0.1:9/ada' could not be fetched: its host is silent"


def test_what_a_server_says_cannot_write_on_the_terminal(tmp_path):
    said = "fatal: \x1b]0;owned\x07\x1b[2J\x1b[31mred\u202e\r\nfatal: more"
    assert fetching._cause(said, 128, tmp_path, 2**20) == "git said: fatal: red"


def test_hooks_of_the_repository_and_of_the_user_do_not_run(tmp_path, monkeypatch):
    ada = make_repository(tmp_path / "ada", FILES)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for folder in (hooks, ada / ".git" / "hooks"):
        for name in ("reference-transaction", "post-checkout", "post-merge", "pre-auto-gc", "fsmonitor-watchman"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
            (folder / name).chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = {hooks}/fsmonitor-watchman\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.hooksPath={hooks}'")
    fetched(ada, tmp_path)
    assert not (tmp_path / "ran").exists()


def test_the_configuration_of_the_user_cannot_lead_elsewhere(tmp_path, monkeypatch):
    ada, bo = (make_repository(tmp_path / name, {"exercises/mlp.py": name}) for name in ("ada", "bo"))
    (tmp_path / ".gitconfig").write_text(f'[url "{bo}"]\n\tinsteadOf = {ada}\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetch_submission(str(ada)).files == {"mlp": "ada"}


def test_what_the_repository_configures_for_itself_does_not_run(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    touch = f"touch {tmp_path}/ran"
    for key in ("uploadpack.packObjectsHook", "core.alternateRefsCommand", "core.sshCommand", "core.fsmonitor"):
        as_ada(ada, "config", key, touch)
    fetched(ada, tmp_path)
    assert not (tmp_path / "ran").exists()


def test_filters_submodules_and_links_of_the_commit_have_no_say(tmp_path):
    ada = make_repository(
        tmp_path / "ada",
        FILES
        | {
            ".gitattributes": "* filter=evil diff=evil textconv=evil\nexercises/* ident eol=crlf\n",
            ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = {tmp_path}/lead\n\tupdate = !touch {tmp_path}/ran\n',
            ".lfsconfig": "[lfs]\n\turl = https://127.0.0.1:9/\n",
        },
    )
    for key in ("filter.evil.smudge", "filter.evil.process", "diff.evil.textconv"):
        as_ada(ada, "config", key, f"touch {tmp_path}/ran")
    found = fetch_submission(str(ada))
    assert found.files == {"attention": "x = 1\n"}
    assert not (tmp_path / "ran").exists()


def test_names_that_lead_out_of_the_folder_are_not_followed(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    content = blob(ada, b"x = 2\n")
    folder = as_ada(ada, "mktree", stdin=f"100644 blob {content}\tattention.py\n".encode())
    entries = [f"100644 blob {content}\t{name}" for name in (".gitmodules", "-rf", "exercises\\..\\x")]
    commit_tree(ada, "\n".join([*entries, f"040000 tree {folder}\t..", f"040000 tree {folder}\texercises"]) + "\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert fetch_submission(str(ada)).files == {"attention": "x = 2\n"}
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_branch_that_is_named_like_an_option_is_a_branch(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    as_ada(ada, "update-ref", "refs/heads/--upload-pack=x", "HEAD")
    as_ada(ada, "symbolic-ref", "HEAD", "refs/heads/--upload-pack=x")
    assert fetch_submission(str(ada)).files == {"attention": "x = 1\n"}


def test_the_token_for_private_repositories_goes_to_its_host_only_and_into_no_argument(monkeypatch):
    monkeypatch.setenv(TOKEN, "t0ken")
    monkeypatch.setenv(TOKEN_HOST, "git.example.org")
    environment = fetching._environment({"a.b": "c"})
    (key,) = [name for name, value in environment.items() if value == "http.https://git.example.org/.extraHeader"]
    assert environment[key.replace("KEY", "VALUE")] == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4="
    assert TOKEN not in environment


def test_the_environment_of_git_holds_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("HEADSTART_COHORT_SECRET", "seed")
    monkeypatch.setenv("GIT_SSH_COMMAND", "touch ran")
    environment = fetching._environment({})
    assert "seed" not in environment.values()
    assert environment["GIT_SSH_COMMAND"].startswith("ssh -oBatchMode=yes")
