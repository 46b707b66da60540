"""`headstart doctor` finds what is wrong with a machine, and says the command that mends it."""

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest
from typer.testing import CliRunner

from graders.cli import app
from graders.cohort import bubblewrap
from graders.engine.course import ROOT
from graders.loop import doctor
from graders.loop.doctor import INSTALL, NOTE, OK, WRONG, Check
from graders.weights.sums import EMBEDDED, FILES, SUMS, wrong_files


def test_a_python_outside_the_range_is_wrong():
    assert doctor.check_python(">=3.11", "3.11.0").state == OK
    assert doctor.check_python(">=3.11", "3.10.14") == Check(
        "python",
        WRONG,
        "3.10.14; expected >=3.11",
        f"make a virtual environment with a Python >=3.11, then  {INSTALL}",
    )


def test_a_library_outside_its_range_or_absent_is_named():
    def installed(name: str) -> str:
        if name == "einops":
            raise PackageNotFoundError(name)
        return {"torch": "2.13.0+cpu", "numpy": "3.0"}[name]

    wanted = ["torch>=2.6,<2.14", "numpy>=1.26,<3", "einops>=0.8,<0.9"]
    assert doctor.check_dependencies(wanted, installed) == Check(
        "libraries",
        WRONG,
        "numpy is 3.0, expected <3,>=1.26; einops is not installed, expected <0.9,>=0.8",
        INSTALL,
    )
    assert doctor.check_dependencies(wanted[:1], installed).state == OK


def test_a_folder_without_exercises_is_right_for_a_lead_alone(tmp_path):
    found = doctor.check_folder(tmp_path)
    assert (found.state, found.said.partition(";")[0]) == (WRONG, "nothing here to grade")
    (tmp_path / "roster.csv").write_text("id,name,repository\n")
    assert doctor.check_folder(tmp_path) == Check("folder", OK, "a lead's: a roster, and no exercises")


def test_a_torch_that_cannot_be_imported_is_told_in_one_line():
    code = "import sys; sys.modules['torch'] = None; import torch"
    found = doctor.check_torch((sys.executable, "-c", code))
    assert (found.state, found.said) == (
        WRONG,
        "it cannot be used: ModuleNotFoundError: import of torch halted; None in sys.modules",
    )
    assert found.mend == f'"{sys.executable}" -m pip uninstall -y torch && {INSTALL}'
    assert f'"{sys.executable}" -m pip install -e "{ROOT}"' == INSTALL


def test_a_torch_that_takes_its_process_down_is_told():
    found = doctor.check_torch((sys.executable, "-c", "import os; os._exit(3)"))
    assert found.said == "it cannot be used: the process ended with 3"


@pytest.mark.parametrize(("there", "said"), [("", "graders compute on the CPU"), ("cuda", "there is CUDA too")])
def test_the_device_is_said(there, said):
    found = doctor.check_torch((sys.executable, "-c", f"print('2.9.0', '{there}')"))
    assert found.state == OK
    assert found.said.startswith("2.9.0; ")
    assert said in found.said


class Installed:
    """What pip noted about an installation."""

    def __init__(self, text):
        self.text = text

    def read_text(self, name):
        assert name == "direct_url.json"
        return self.text


@pytest.mark.parametrize(
    ("origin", "state", "said"),
    [
        ({"url": ROOT.as_uri(), "dir_info": {"editable": True}}, OK, "editable, from this folder"),
        ({"url": ROOT.as_uri(), "dir_info": {}}, WRONG, "headstart is installed as a copy; expected an editable"),
        (None, WRONG, "headstart is installed as a copy; expected an editable"),
        (
            {"url": (ROOT / "docs").as_uri(), "dir_info": {"editable": True}},
            WRONG,
            f"headstart runs from {ROOT / 'docs'}",
        ),
    ],
    ids=["here", "copy", "unknown", "elsewhere"],
)
def test_an_installation_that_is_not_of_this_folder_is_wrong(monkeypatch, origin, state, said):
    monkeypatch.setattr(doctor, "distribution", lambda name: Installed(json.dumps(origin) if origin else None))
    found = doctor.check_install()
    assert (found.state, found.said[: len(said)]) == (state, said)
    assert (found.mend == "") == (state == OK)


def test_files_that_are_missing_are_named(exercises):
    assert doctor.check_exercises().state == OK
    (exercises / "mlp.py").unlink()
    (exercises / "config.py").unlink()
    assert doctor.check_exercises() == Check(
        "exercises", WRONG, "exercises/ has no config.py, mlp.py", "headstart stubs"
    )


def test_weights_that_are_damaged_are_named(tmp_path):
    folder = tmp_path / "weights"
    shutil.copytree(EMBEDDED, folder)
    assert doctor.check_weights(folder).state == OK
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    (folder / "activations.safetensors").unlink()
    assert doctor.check_weights(folder) == Check(
        "weights",
        WRONG,
        "activations.safetensors, model.safetensors: missing, or damaged",
        "git checkout -- graders/weights/shakespeare",
    )
    (folder / SUMS).unlink()
    assert doctor.check_weights(folder).state == WRONG


def test_the_sums_are_those_of_the_committed_files():
    assert wrong_files() == []
    assert {path.name for path in EMBEDDED.glob("*.safetensors")} == set(FILES)


def test_a_folder_that_cannot_be_written_to_is_wrong(tmp_path):
    assert doctor.check_writable("records", tmp_path / "new").state == OK
    (tmp_path / "file").write_text("")
    found = doctor.check_writable("records", tmp_path / "file")
    assert (found.state, found.name) == (WRONG, "records")
    assert found.said.startswith(f"{tmp_path / 'file'} cannot be written to: ")
    assert found.mend == shlex.join(["mv", str(tmp_path / "file"), f"{tmp_path / 'file'}.old"])


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        (errno.ENOSPC, "free some space on that disk"),
        (errno.EACCES, "chmod u+rwx {}"),
        (errno.EROFS, "see that it is a folder, on a disk that can be written to"),
    ],
)
def test_what_keeps_a_folder_from_being_written_to_has_a_mend_of_its_own(tmp_path, monkeypatch, code, mend):
    folder = tmp_path / "my records"
    folder.mkdir()

    def refused(**_options):
        raise OSError(code, os.strerror(code), str(folder / "x"))

    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refused)
    found = doctor.check_writable("records", folder)
    assert (found.state, found.mend) == (WRONG, mend.format(shlex.quote(str(folder))))


def test_what_hangs_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 0.1)
    hangs = (sys.executable, "-c", "import time; time.sleep(600)")
    assert doctor.check_torch(hangs).said == "it cannot be used: it did not answer within 0.1 seconds"


def test_little_room_is_a_note():
    assert doctor.check_disk(5e9) == Check("disk", OK, "5.0 GB free")
    assert doctor.check_disk(2e8).state == NOTE


@pytest.mark.parametrize(
    ("obstacle", "check"),
    [
        (("", ""), Check("sandbox", OK, "bubblewrap can make one")),
        (
            ("bubblewrap is not installed", "install it"),
            Check(
                "sandbox",
                NOTE,
                "bubblewrap is not installed; only who grades other people's code needs it",
                "install it",
            ),
        ),
    ],
)
def test_a_sandbox_that_cannot_be_made_is_a_note(monkeypatch, obstacle, check):
    monkeypatch.setattr(bubblewrap, "obstacle", lambda: obstacle)
    assert doctor.check_sandbox() == check


FOUND = [
    Check("python", OK, "3.12, expected >=3.11"),
    Check("weights", WRONG, "damaged", "mend them"),
    Check("x", NOTE, "y"),
]


def test_every_check_is_a_line_and_what_mends_it_another(monkeypatch):
    monkeypatch.setattr(doctor, "checks", lambda: FOUND)
    result = CliRunner().invoke(app, ["doctor"])
    assert (result.exit_code, result.output.splitlines()) == (
        1,
        [
            "ok     python        3.12, expected >=3.11",
            "wrong  weights       damaged",
            "                     to mend it:  mend them",
            "note   x             y",
        ],
    )


def test_a_note_is_no_failure_and_a_program_reads_the_same(monkeypatch):
    monkeypatch.setattr(doctor, "checks", lambda: [FOUND[0], FOUND[2]])
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.output)[1] == {"name": "x", "state": "note", "said": "y", "mend": ""}


def doctor_without(library, tmp_path):
    """What it finds where a library cannot be imported, by the checks' names, and its exit code."""
    (tmp_path / f"{library}.py").write_text(f"raise ImportError('{library}.so: broken')\n")
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from graders.cli import app; app(['doctor', '--json'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return {check["name"]: check for check in json.loads(done.stdout)}, done.returncode


@pytest.mark.parametrize("library", ["platformdirs", "packaging"])
def test_all_of_it_runs_where_a_library_of_its_own_cannot_be_imported(tmp_path, library):
    found, code = doctor_without(library, tmp_path)
    assert (code, found["libraries"]["state"], found["libraries"]["mend"]) == (1, "wrong", INSTALL)
    assert found["libraries"]["said"] == f"{library} cannot be imported: {library}.so: broken"
    assert found["exercises"]["state"] == OK


def test_all_of_it_runs_where_torch_cannot_be_imported(tmp_path):
    found, code = doctor_without("torch", tmp_path)
    assert code == 1
    assert found["torch"]["said"] == "it cannot be used: ImportError: torch.so: broken"
    assert found["exercises"]["state"] == OK
