"""Every way in gives the command and `rnnzoo.recipes`: a wheel, an sdist, an editable install, a checkout beside a wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FOLDERS = ("rnnzoo", "recipes", "examples", "tests")
WHERE = """
import json, rnnzoo, rnnzoo.recipes.chargen as chargen
from importlib.util import find_spec
from rnnzoo import paths, zoo
print(json.dumps({"rnnzoo": rnnzoo.__file__, "chargen": chargen.__file__, "checkout": str(paths.checkout()),
                  "names": zoo.names(), "recipes": find_spec("recipes") is not None}))
"""


@dataclass
class Installed:
    """A virtual environment with rnnzoo in it; what rnnzoo depends on comes from the environment of the tests."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"

    @property
    def command(self) -> Path:
        return self.python.with_name("rnnzoo")

    @property
    def site_packages(self) -> Path:
        return next(self.folder.rglob("site-packages"))

    def run(self, *arguments: str | Path, cwd: Path) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RNNZOO_", "COVERAGE"))}
        # One thread: two that wait for each other take seconds where other processes want the cores.
        environment |= {"RNNZOO_HOME": str(self.folder / "home"), "OPENBLAS_NUM_THREADS": "1"}
        return run(*arguments, cwd=cwd, env=environment)

    def where(self, cwd: Path) -> dict:
        """What Python started in `cwd` imports, and from where."""
        return json.loads(self.run(self.python, "-c", WHERE, cwd=cwd))

    def listed(self, cwd: Path, *how: str | Path) -> list[str]:
        """The recipes that `rnnzoo list` shows when it is started in `cwd`."""
        answer = self.run(*(how or [self.command]), "list", "--json", cwd=cwd)
        return [entry["recipe"] for entry in json.loads(answer)]


def run(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(a) for a in arguments], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the project that has a fifth recipe, downloads in data/, and compiled and hidden litter."""
    folder = tmp_path_factory.mktemp("checkout") / "rnnzoo"
    folder.mkdir()
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore", ".ci/run", "data/.gitkeep"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    shutil.copytree(folder / "recipes" / "chargen", folder / "recipes" / "fifth")
    for litter in ("data/downloads/big.zip", "recipes/fifth/__pycache__/sample.cpython-311.pyc", "rnnzoo/cli/.DS_Store"):
        (folder / litter).parent.mkdir(exist_ok=True)
        (folder / litter).write_bytes(b"litter")
    return folder


@pytest.fixture(scope="module")
def archives(checkout, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=checkout)
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


@pytest.fixture(scope="module")
def install(checkout, archives, tmp_path_factory):
    """Install in one of three ways, each once."""
    done: dict[str, Installed] = {}

    def install_(way: str) -> Installed:
        if way not in done:
            installed = Installed(tmp_path_factory.mktemp(way))
            venv.create(installed.folder, with_pip=False, symlinks=os.name != "nt")
            # A .pth file inside the folders named here is not read: an editable rnnzoo of the tests' own stays out.
            outer = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
            (installed.site_packages / "outer.pth").write_text("\n".join(outer))
            what = ["--editable", checkout] if way == "editable" else [archives[way]]
            pip = [sys.executable, "-m", "pip", "--python", installed.python, "install", "--ignore-installed"]
            run(*pip, "--no-deps", "--no-index", "--no-build-isolation", *what, cwd=installed.folder)
            done[way] = installed
        return done[way]

    return install_


@pytest.fixture
def sixth(checkout):
    """A recipe that is made after everything was built and installed."""
    folder = checkout / "recipes" / "sixth"
    shutil.copytree(checkout / "recipes" / "chargen", folder)
    yield "sixth"
    shutil.rmtree(folder)


def files_under(folder: Path, pattern: str = "*") -> set[str]:
    """Relative paths of the files in `folder`, without the litter."""
    found = (path.relative_to(folder) for path in folder.rglob(pattern) if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts and path.name != ".DS_Store"}


def test_the_wheel_holds_the_package_and_the_recipes_and_nothing_else(checkout, archives):
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        names = set(wheel.namelist())
        (entry_points,) = (wheel.read(name).decode() for name in names if name.endswith("/entry_points.txt"))
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    package = {f"rnnzoo/{name}" for name in files_under(checkout / "rnnzoo")}
    recipes = {f"rnnzoo/recipes/{name}" for name in files_under(checkout / "recipes")}
    assert "rnnzoo/recipes/fifth/__init__.py" in recipes
    assert names - metadata == package | recipes
    assert any(name.endswith("/licenses/LICENSE") for name in metadata)
    assert "rnnzoo = rnnzoo.cli:main" in entry_points


def test_the_sdist_holds_what_git_holds(checkout, archives):
    with tarfile.open(archives["sdist"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    code = {f"{folder}/{name}" for folder in FOLDERS for name in files_under(checkout / folder)}
    others = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore", ".ci/run", "data/.gitkeep", "PKG-INFO"}
    assert names == code | others


@pytest.mark.parametrize("way", ["wheel", "sdist", "editable"])
def test_the_command_trains_and_generates(way, install, tmp_path):
    installed = install(way)
    assert {"chargen", "fifth"} <= set(installed.listed(tmp_path))
    shipped = installed.run(installed.command, "generate", "--prefix", "Alice", "--length", "9", cwd=tmp_path)
    assert shipped.startswith("Alice") and len(shipped) == len("Alice") + 10
    small = ["--data", "sample", "epochs=1", "units=4", "embedding=4", "engine=numpy", "sample_every=0"]
    trained = json.loads(installed.run(installed.command, "train", "fifth", *small, "--json", cwd=tmp_path))
    assert trained["recipe"] == "fifth" and Path(trained["path"]).is_relative_to(installed.folder / "home")
    text = installed.run(installed.command, "generate", "fifth", "--prefix", "The", "--length", "9", cwd=tmp_path)
    assert text.startswith("The") and len(text.removesuffix("\n")) == len("The") + 9


@pytest.mark.parametrize("way", ["wheel", "sdist"])
def test_recipes_are_installed_inside_the_package(way, install, tmp_path):
    installed = install(way)
    found = installed.where(tmp_path)
    package = installed.site_packages / "rnnzoo"
    assert Path(found["rnnzoo"]) == package / "__init__.py"
    assert Path(found["chargen"]) == package / "recipes" / "chargen" / "__init__.py"
    assert found["checkout"] == "None" and not found["recipes"]


def test_a_wheel_built_from_the_sdist_is_the_wheel(install, archives):
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        names = {name for name in wheel.namelist() if name.startswith("rnnzoo/")}
    assert {f"rnnzoo/{name}" for name in files_under(install("sdist").site_packages / "rnnzoo")} == names


def test_an_editable_install_is_the_checkout(install, checkout, sixth, tmp_path):
    installed = install("editable")
    found = installed.where(tmp_path)
    assert Path(found["rnnzoo"]) == checkout / "rnnzoo" / "__init__.py"
    assert Path(found["chargen"]) == checkout / "recipes" / "chargen" / "__init__.py"
    assert Path(found["checkout"]) == checkout
    assert sixth in found["names"]
    assert not files_under(installed.site_packages, "*.py"), "an editable install copies nothing"


def test_python_started_inside_the_checkout_takes_package_and_recipes_from_there(install, checkout, sixth):
    installed = install("wheel")
    found = installed.where(checkout)
    assert Path(found["rnnzoo"]) == checkout / "rnnzoo" / "__init__.py"
    assert Path(found["chargen"]) == checkout / "recipes" / "chargen" / "__init__.py"
    assert Path(found["checkout"]) == checkout
    assert sixth in found["names"]
    assert sixth in installed.listed(checkout, installed.python, "-m", "rnnzoo")


def test_the_installed_command_stays_with_the_wheel_inside_the_checkout(install, checkout, sixth):
    assert sixth not in install("wheel").listed(checkout)
