"""A learner's repository, fetched as objects only: nothing of it is checked out, so nothing of it can run.

Hooks, filters, submodules, LFS and links have a say in a work tree, and there is none here: a bare repository of ours
takes the newest commit, and files are read from it by `git ls-tree` and `git cat-file`. Neither the system's nor the
user's git configuration is read.
"""

import base64
import datetime
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from graders.cohort.harmless import plain

MAX_BYTES = 64 * 2**20  # of the newest commit, packed, without the blobs that are too large to be a submission
MAX_BLOB = 256 * 1000  # bytes of one file of a submission
MAX_MEMORY = 2 * 2**30  # bytes that one process of git may address: a small pack can unfold into a large one
SECONDS = 60.0  # for one repository
REF = "refs/heads/submission"
REMOTE = "learner"
SCP = re.compile(r"[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:(?!:)[^\s]+")
URL = re.compile(
    r"(?P<scheme>https|ssh)://(?:(?P<user>[A-Za-z0-9_][^@/\s]*)@)?(?P<host>[A-Za-z0-9][\w.-]*)(?P<port>:\d+)?/[^\s]+"
)
# What git needs of the environment to reach a server as this user would; everything else stays out
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "SSH_AUTH_SOCK")
PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
TOKEN, TOKEN_HOST = "HEADSTART_GIT_TOKEN", "HEADSTART_GIT_HOST"  # for private repositories, in CI
CONFIG = {
    "core.askPass": "",
    "credential.helper": "",
    "credential.interactive": "false",
    "http.lowSpeedLimit": "1000",  # bytes a second, for as long as the next line says
    "http.lowSpeedTime": "20",
    "fetch.unpackLimit": "1",  # one pack, so that the limit on a file's size is one on the whole
    "fetch.recurseSubmodules": "false",
    "transfer.bundleURI": "false",  # a server may not send us elsewhere
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "core.bigFileThreshold": "1m",
    "core.deltaBaseCacheLimit": "16m",
}
BLOCK = 512  # bytes: what ulimit counts files in; memory, which not every system lets it limit, is in kilobytes
LIMITED = 'ulimit -f "$1" || exit 1; ulimit -v "$2" 2>/dev/null; ulimit -c 0 2>/dev/null; shift 2; exec "$@"'
CAUSES = (
    ("could not resolve host|name or service not known|could not resolve hostname", "its host could not be found"),
    ("timed out|operation too slow|connection refused|network is unreachable|failed to connect", "its host is silent"),
    ("host key verification failed", "the host's key is not known here; connect to it once by hand"),
    (
        "could not read username|authentication failed|permission denied|prompts disabled|returned error: 40[13]",
        "it asks for a password or a key that this machine does not have, or this user may not read it",
    ),
    ("out of memory", "it unfolds into more memory than git is given here"),
    ("dubious ownership", "it belongs to another user, and git reads no such folder; make a copy that is yours"),
    ("couldn't find remote ref head|remote head refers to nonexistent", "it has no commit yet"),
    ("does not appear to be a git repository|not a git repository", "it is no git repository"),
    ("not found|does not exist|no such file", "there is no such repository, or it is private"),
)


class FetchError(Exception):
    """A repository could not be fetched or read; the text is one sentence that says why."""


@dataclass(frozen=True)
class Fetched:
    """The newest commit of a repository's default branch."""

    commit: str  # its id
    committed_at: str  # UTC, to the second; what the learner's own clock said, or whatever they had it say


def refusal(repository: str) -> str:
    """Why a repository is not fetched, as the end of a sentence; "" when it may be.

    Taken are https://, ssh://, user@host:path and paths of this machine.
    """
    url = URL.fullmatch(repository)
    if not repository:
        return "is empty; expected https://..., ssh://..., user@host:path or a path"
    if plain(repository, len(repository) + 1) != repository:
        return "has blanks at its ends, or characters that cannot be seen"
    if repository.startswith("-"):
        return "begins with a dash, as an option does"
    if url and url["scheme"] == "https" and url["user"]:
        return f"has a user or a password in it, which the history would keep; leave it out and set {TOKEN}"
    if url and ":" in (url["user"] or ""):
        return "has a password in it; leave it out and use a key"
    if url or SCP.fullmatch(repository):
        # The host and what stands before it are harmless by their form; ssh must not take the path for an option
        path = repository.partition(":")[2] if not url else repository[url.end("host") :]
        return "has a path that begins with a dash" if path.lstrip("/").startswith("-") else ""
    if "::" in repository or "://" in repository:
        return "is of no form that is taken; expected https://HOST/PATH, ssh://HOST/PATH, user@host:path or a path"
    return ""


def is_missing(repository: str) -> bool:
    """Whether this is a path of this machine, and no folder is there."""
    if _is_remote(repository):
        return False
    try:
        return not Path(repository).is_dir()
    except OSError:  # the name is longer than any
        return True


def shown(repository: str) -> str:
    """A repository as a message names it: in quotes, without a password."""
    return repr(re.sub(r"(?<=//)[^/]*@", "...@", plain(repository, 100)))


def fetch(
    repository: str, into: Path, limit: int = MAX_BYTES, seconds: float = SECONDS, commit: str = "HEAD"
) -> Fetched:
    """Fetch the newest commit of the default branch, without its history, into an empty folder.

    `limit` is in bytes; `commit` is the full id of an older one to fetch, which not every server gives.
    Raises `FetchError` whatever is wrong with the repository or with the way to it.
    """
    config = {
        f"remote.{REMOTE}.url": _address(repository),
        # What is too large to be part of a submission is not even sent, where the server can leave it out
        f"remote.{REMOTE}.promisor": "true",
        f"remote.{REMOTE}.partialCloneFilter": f"blob:limit={MAX_BLOB + 1}",
    }
    try:
        git(into, "init", "--quiet", "--bare", "--template=", seconds=seconds)
        options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules")
        git(into, "fetch", *options, REMOTE, f"+{commit}:{REF}", config=config, limit=limit, seconds=seconds)
        told = git(into, "log", "-1", "--format=%H %ct", f"{REF}^{{commit}}", "--", seconds=seconds).decode()
        found, stamp = told.split()
        committed_at = datetime.datetime.fromtimestamp(int(stamp), datetime.UTC).isoformat(timespec="seconds")
    except FetchError as error:
        raise FetchError(f"the repository {shown(repository)} could not be fetched: {error}") from error
    except (ValueError, OverflowError, OSError) as error:  # a commit of the year 10000
        told = f"the repository {shown(repository)} was fetched, but the date of its commit could not be read"
        raise FetchError(told) from error
    return Fetched(found, committed_at)


def newest_commit(repository: str, seconds: float = SECONDS) -> str:
    """The id of the commit that `fetch` would fetch, without fetching it; "" when its HEAD names none.

    Raises `FetchError` as `fetch` does.
    """
    address = _address(repository)
    try:
        with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
            if _is_remote(repository):
                config = {f"remote.{REMOTE}.url": address}
                told = git(Path(folder), "ls-remote", "--quiet", REMOTE, "HEAD", config=config, seconds=seconds)
                return told.decode(errors="replace").partition("\t")[0]
            # For a path of this machine, `ls-remote` would start this very program, and a shell for it
            config = {"transfer.hideRefs": "refs/"}  # HEAD alone is told
            told = git(Path(folder), "upload-pack", "--advertise-refs", address, config=config, seconds=seconds)
            line = told[4 : int(told[:4] or b"0", 16)].decode(errors="replace")  # the first, behind its length
            commit, _, name = line.partition("\0")[0].partition(" ")
            return commit if name == "HEAD" else ""
    except FetchError as error:
        raise FetchError(f"the repository {shown(repository)} could not be fetched: {error}") from error


def _address(repository: str) -> str:
    """What git is told of a repository. Raises `FetchError` when it is none that may be fetched, or no folder."""
    refused = refusal(repository)
    if refused:
        raise FetchError(f"the repository {shown(repository)} was not fetched: it {refused}")
    if _is_remote(repository):
        return repository
    if is_missing(repository):
        raise FetchError(f"the repository {shown(repository)} could not be fetched: there is no such folder")
    return str(Path(repository).resolve())


def _is_remote(repository: str) -> bool:
    return bool(URL.fullmatch(repository) or SCP.fullmatch(repository))


def git(
    folder: Path,
    *arguments: str,
    config: dict[str, str] | None = None,
    stdin: bytes = b"",
    limit: int = MAX_BYTES,
    seconds: float = SECONDS,
) -> bytes:
    """What git prints, in a bare repository of ours. Raises `FetchError`, with a part of a sentence, when it fails."""
    if shutil.which("git") is None:
        raise FetchError("git is not installed on this machine; install it")
    command = ["git", f"--git-dir={folder.resolve()}", *arguments]
    if os.name == "posix":
        command = ["/bin/sh", "-c", LIMITED, "sh", str(limit // BLOCK), str(MAX_MEMORY // 1024), *command]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as asked:
        asked.write(stdin)
        asked.seek(0)
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(CONFIG | (config or {})),
            stdin=asked,
            stdout=printed,
            stderr=said,
            start_new_session=True,  # so that what git started ends with it
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise FetchError(f"it took longer than {seconds:g} s") from None
        finally:
            _end(process)
        said.seek(0)
        printed.seek(0)
        if code:
            raise FetchError(_cause(said.read(65536).decode(errors="replace"), code, folder, limit))
        return printed.read()


def _end(process: subprocess.Popen) -> None:
    """End git and what it started, if it runs still: only then its number is surely its own."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _cause(said: str, code: int, folder: Path, limit: int) -> str:
    """Why git stopped, in words of ours where they are known."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    if max(sizes, default=0) >= limit // BLOCK * BLOCK:  # git does not say what stopped it
        return f"its newest commit is larger than {limit // 2**20} MB; take out what is no code"
    for pattern, words in CAUSES:
        if re.search(pattern, said, re.IGNORECASE):
            return words
    told = [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
    return "git said: " + plain(told[0] if told else said or f"nothing, and stopped with code {code}", 200)


def _environment(config: dict[str, str]) -> dict[str, str]:
    """The environment of a git that reads no configuration but ours, asks nobody, and runs no helper."""
    token, host = os.environ.get(TOKEN), os.environ.get(TOKEN_HOST, "github.com")
    if token:
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        config = config | {f"http.https://{host}/.extraHeader": f"Authorization: Basic {basic}"}
    numbered = list(enumerate(config.items()))
    return {
        **{name: os.environ[name] for name in (*PASSED_ON, *PROXIES, *CERTIFICATES) if name in os.environ},
        **{f"GIT_CONFIG_KEY_{n}": key for n, (key, _) in numbered},
        **{f"GIT_CONFIG_VALUE_{n}": value for n, (_, value) in numbered},
        "GIT_CONFIG_COUNT": str(len(numbered)),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=15 -oClearAllForwardings=yes -oForwardAgent=no "
        "-oPermitLocalCommand=no",
        "LC_ALL": "C",
    }
