"""Fixtures that several test files share."""

import concurrent.futures
import functools
import multiprocessing
import shutil

import pytest
import torch
from built import python, served
from handed_out import hand_out, make_environment

import graders.commands.stubs
from graders.engine import journal
from graders.engine.audit import audit_exercise
from graders.engine.course import ROOT, load_course
from graders.engine.stubs import stub_files
from graders.weights.checkpoint import load_checkpoint
from reference.caching import CachedGPT
from reference.config import GPTConfig

AUDIT = "test_audit.py"

torch.set_num_threads(1)  # the audits run beside: more threads would only wait for each other


def pytest_collection_modifyitems(items):
    """The audits run beside all other tests, so the tests that wait for them come last."""
    items.sort(key=lambda item: item.path.name == AUDIT)


@pytest.fixture(scope="session", autouse=True)
def audits(request):
    """The audit of every exercise, started when the session starts: exercise -> future of its report."""
    if not any(item.path.name == AUDIT for item in request.session.items):
        yield {}
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(max_workers=2, mp_context=context) as pool:
        yield {e.name: pool.submit(audit_exercise, e.name) for e in sorted(load_course().exercises, key=size)}


@pytest.fixture(scope="module")
def browser():
    """A browser for the tests of one file."""
    from chromium import chromium  # Windows cannot import it

    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the whole course site, as MkDocs builds it."""
    folder = tmp_path_factory.mktemp("site")
    python("graders.cli", "site")
    python("mkdocs", "build", "--strict", "--quiet", "--site-dir", folder)
    return folder


@pytest.fixture(scope="session")
def zensical_site(tmp_path_factory, site):
    """The same, as Zensical builds it from the same mkdocs.yml: in a copy, since it writes beside its source."""
    folder = tmp_path_factory.mktemp("zensical")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copyfile(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    python("zensical", "build", "--clean", cwd=folder)
    return folder / "site"


@pytest.fixture(scope="session")
def address(site):
    """Where a browser finds the site."""
    with served(site) as url:
        yield url


def size(exercise) -> int:
    """The exercises with most tasks first, so that none is left to run alone at the end."""
    return -len(exercise.tasks)


@pytest.fixture
def in_float64_without_gradients():
    """PyTorch's default dtype is float64, and no gradients are recorded, as in a law."""
    torch.set_default_dtype(torch.float64)
    with torch.no_grad():
        yield
    torch.set_default_dtype(torch.float32)


stubs = functools.cache(stub_files)


@pytest.fixture
def exercises(tmp_path, monkeypatch):
    """A learner's folder in place of `exercises/`, with a fresh stub of everything, and no verdicts beside it."""
    folder = tmp_path / "exercises"
    folder.mkdir()
    for name, text in stubs().items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8", newline="\n")
    monkeypatch.setattr(journal, "EXERCISES", folder)
    monkeypatch.setattr(journal, "HOME", tmp_path / ".headstart")
    monkeypatch.setattr(journal, "VERDICTS", tmp_path / ".headstart" / "verdicts")
    monkeypatch.setattr(graders.commands.stubs, "EXERCISES", folder)
    return folder


@pytest.fixture(scope="session")
def handout(tmp_path_factory):
    """A learner's repository, as it is handed out. Whoever writes into it works on a copy."""
    return hand_out(tmp_path_factory.mktemp("cohort") / "handout")


@pytest.fixture(scope="session")
def environment(tmp_path_factory, handout):
    """An environment in which a learner followed the handout's README."""
    made = make_environment(tmp_path_factory.mktemp("fresh"))
    installed = made.run("pip", "install", "-r", "requirements.txt", cwd=handout)
    assert installed.returncode == 0, installed.stderr
    return made


@pytest.fixture(scope="session")
def explorer_folder(tmp_path_factory):
    """A small site, the page Explorer and the embedded model: its mkdocs.yml, its docs/, and built in root/."""
    from explorer_site import SUB_PATH, build, mini_docs

    folder = tmp_path_factory.mktemp("explorer")
    build(mini_docs(folder), folder / "root" / SUB_PATH)
    return folder


@pytest.fixture(scope="session")
def explorer(explorer_folder):
    """The address of the page Explorer, on a server of its own."""
    from explorer_site import SUB_PATH

    with served(explorer_folder / "root") as url:
        yield f"{url}{SUB_PATH}/explorer/"


@pytest.fixture(scope="module")
def embedded_gpt():
    """The embedded checkpoint in the reference with its cache, in float64."""
    checkpoint = load_checkpoint()
    model = CachedGPT(GPTConfig(**checkpoint.cfg)).double()
    model.load_state_dict({name: weight.double() for name, weight in checkpoint.weights.items()})
    return model
