"""envs/regrok.def, the recipe of a container, agrees with the lock file; it is not built here."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[1] / "envs"
RECIPE = (ENVS / "regrok.def").read_text()
LOCK = (ENVS / "lock.txt").read_text().splitlines()
SECTIONS = dict(re.findall(r"^%(\w+)\n((?:(?!%).*\n?)*)", RECIPE, re.M))


def test_the_sections():
    assert RECIPE.startswith("Bootstrap: docker\nFrom: python:3.11-slim\n")
    assert set(SECTIONS) == {"files", "post", "environment", "test", "runscript", "labels"}


@pytest.mark.parametrize("section", ["post", "environment", "test", "runscript"])
def test_its_shell_parses(section):
    subprocess.run(["bash", "-n"], input=SECTIONS[section], text=True, check=True)


def test_it_installs_the_lock_file_and_no_code_of_the_project():
    source, target = SECTIONS["files"].split()
    assert source == "envs/lock.txt"
    (call,) = re.findall(r"^pip install .*$", SECTIONS["post"].replace("\\\n", " ").replace("    ", ""), re.M)
    words = call.split()
    assert words[-2:] == ["--requirement", target]
    assert [word for word in words[2:-1] if "==" in word or word.startswith(".") or word == "-e"] == []
    assert "pip" not in SECTIONS["post"].replace(call[:11], "", 1).replace("\n", " ").split()


def test_what_it_tries_is_in_the_lock_file():
    (names,) = re.findall(r"import ([a-z, ]+)'", SECTIONS["test"])
    assert {name.strip() for name in names.split(",")} <= {line.partition("==")[0].lower() for line in LOCK}


def test_its_targets_are_run_by_make_with_the_environment_of_the_container(tmp_path):
    """Not with one in .venv, which is not made."""
    makefile = (ENVS.parent / "Makefile").read_text()
    (tmp_path / "Makefile").write_text(makefile + "\nwhere: .venv/ready\n\t@echo $(BIN)\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/true")
    outer = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")  # of `make test`, which would have this one tell where it is
    call = [
        "env",
        *(f"--unset={name}" for name in outer),
        f"PATH={tmp_path}/bin:/usr/bin:/bin",
        "sh",
        "-c",
        SECTIONS["runscript"],
        "regrok",
        "where",
    ]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path}/bin\n"
    assert not (tmp_path / ".venv").exists()


def test_conda_gets_the_same_versions():
    (pip,) = [
        entry["pip"]
        for entry in yaml.safe_load((ENVS / "regrok.yaml").read_text())["dependencies"]
        if isinstance(entry, dict)
    ]
    assert pip == LOCK
