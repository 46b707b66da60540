"""A learner's and a lead's repository as `headstart cohort template` makes them, and an environment to use them in.

The environment is fresh, but borrows the libraries of this one, so that nothing is downloaded: all but headstart, which
is installed from the wheel that was handed out.
"""

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from graders import cli

OURS = ("headstart", "_headstart", "__editable__", "__pycache__")
SCRIPT = "#!{python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
SCRIPTS = {"pip": ("pip._internal.cli.main", "main"), "pytest": ("pytest", "main")}


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def variables(self, **more: str) -> dict[str, str]:
        """What a process sees: this environment first, and no way to another copy of ours, or to the network."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "HEADSTART_HOME")}
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        offline = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "HF_HUB_OFFLINE": "1"}
        return kept | offline | {"PATH": path, "COLUMNS": "120", "OMP_NUM_THREADS": "1"} | more

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command of this environment."""
        found = [str(self.folder / "bin" / command[0]), *map(str, command[1:])]
        return subprocess.run(found, cwd=cwd, env=self.variables(), capture_output=True, text=True, check=False)


def make_environment(folder: Path) -> Environment:
    """A fresh environment that finds this one's libraries, and not headstart."""
    environment, libraries = Environment(folder / "environment"), folder / "libraries"
    libraries.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(OURS) and path.suffix != ".pth":
            (libraries / path.name).symlink_to(path)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment.folder], check=True)
    (site,) = environment.folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    for name, (module, function) in SCRIPTS.items():
        script = environment.folder / "bin" / name
        script.write_text(SCRIPT.format(python=environment.python, module=module, function=function), encoding="utf-8")
        script.chmod(0o755)
    return environment


def hand_out(folder: Path, *options: str) -> Path:
    """A repository, made by the command."""
    result = CliRunner().invoke(cli.app, ["cohort", "template", "--out", str(folder), *options])
    assert result.exit_code == 0, result.output
    return folder
