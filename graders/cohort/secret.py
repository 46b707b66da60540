"""The cohort's secret: what draws the cases of an authoritative grading, and makes the pseudonyms of a public report.

Whoever knows it can foretell the cases. It lies in a file that only its owner reads, made at the first use, or, in CI,
in the environment, which stands before the file. It is never printed, and the history holds a fingerprint of it only.
"""

import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from pathlib import Path

FILE = "secret.key"
VARIABLE = "HEADSTART_COHORT_SECRET"
N_BYTES = 32
LEAST = 16  # characters; fewer could be guessed


class SecretError(Exception):
    """The secret could not be read or made; the text says why, and what to do."""


def read_secret(path: Path) -> bytes:
    """The secret of the environment, or that of the file, which is made if there is none. Raises `SecretError`."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return _long_enough(given, f"{VARIABLE} in the environment")
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        text = _made(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(
            f"{path} could not be read as a secret ({error}); move it away, and a new one is made"
        ) from error
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise SecretError(f"{path} can be read by others (mode {mode:o}): chmod 600 {path}, or move it away")
    return _long_enough(text.strip(), str(path))


def seed_of(secret: bytes, exercise: str, subject_hash: str) -> int:
    """The seed from which the cases for one text of one exercise are drawn."""
    return int.from_bytes(_digest(secret, "seed", exercise, subject_hash)[:8], "big") >> 1  # 63 bits, as SQLite has


def seed_policy(secret: bytes) -> str:
    """What tells one secret from another in the history, and says nothing else about it."""
    return f"secret:{_digest(secret, 'policy')[:4].hex()}"


def pseudonym(secret: bytes, learner: str) -> str:
    """What a learner is called in public: the same in every report made with this secret."""
    return _digest(secret, "learner", learner)[:5].hex()


def _digest(secret: bytes, *what: str) -> bytes:
    return hmac.new(secret, "\0".join(what).encode(), hashlib.sha256).digest()


def _long_enough(text: str, where: str) -> bytes:
    if len(text) < LEAST:
        raise SecretError(f"{where} has {len(text)} characters, expected at least {LEAST}: put a longer secret there")
    return text.encode()


def _made(path: Path) -> str:
    """A new secret, written in one step: of two runs that make one at once, both use the first."""
    name = ""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # which only its owner reads
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(N_BYTES) + "\n")
        try:
            os.link(name, path)
        except FileExistsError:
            pass
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise SecretError(
            f"{path} could not be made ({error.strerror}): name a folder that can be written to, or set {VARIABLE}"
        ) from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)
