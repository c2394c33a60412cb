#!/usr/bin/env python3
"""Carries out the Dockerfile without Docker: its stages in copies of a root that debootstrap has made.

    debootstrap --variant=minbase --include=ca-certificates,netbase,tzdata,python3,python3-venv bookworm ROOT
    docker/build_in_root.py ROOT RESULT

As root, on Linux. RESULT is then the file system of the last stage: `chroot --userspec=65534:65534 RESULT
/app/docker/entrypoint.sh …`, with the variables that are printed, starts what a container would. The root
stands in for the base image, so what is shown is the rest: that what is copied is all that is needed, and
that nothing is compiled. pip heeds the variables of the environment (PIP_INDEX_URL and its like).
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DEVELOPMENT = "development"  # the stage that the last one doesn't need
# Where the base image has its `python`, with pip; in a bare root it is a virtual environment.
PYTHON = "/usr/local/image-python"
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Stage:
    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": f"{PYTHON}/bin:{SYSTEM}"})
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"


def main(base: Path, result: Path) -> None:
    made: dict[str, Stage] = {}
    work = result.with_name(f"{result.name}.stages")
    context = work / "context"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(REPOSITORY, context, ignore=_ignored)
    name, stage = "", Stage(base)
    for instruction, rest in _instructions((REPOSITORY / "Dockerfile").read_text()):
        if instruction == "FROM":
            source, name = re.fullmatch(r"(\S+) AS (\w+)", rest).groups()
            stage = made.get(source, Stage(base))
            if name != DEVELOPMENT:
                print(f"Stage {name}", flush=True)
                stage = replace(stage, root=_copied(stage.root, work / name))
                _run(stage, f"[ -d {PYTHON} ] || /usr/bin/python3 -m venv {PYTHON}")
        elif name and name != DEVELOPMENT:
            stage = _carried_out(stage, instruction, rest, context, made)
        made[name] = stage
    shutil.rmtree(result, ignore_errors=True)
    stage.root.rename(result)
    print("\n".join(f"{variable}={value}" for variable, value in stage.environment.items()))


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


def _carried_out(stage: Stage, instruction: str, rest: str, context: Path, made: dict[str, Stage]) -> Stage:
    if instruction == "ARG":
        variable, _, default = rest.partition("=")
        given = os.environ.get(variable, default)
        return replace(stage, arguments={**stage.arguments, variable: given})
    if instruction == "ENV":
        values = {**stage.arguments, **stage.environment}
        new = dict(each.split("=", 1) for each in rest.split())
        new = {
            name: re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], text) for name, text in new.items()
        }
        return replace(stage, environment={**stage.environment, **new})
    if instruction == "WORKDIR":
        _inside(stage, rest).mkdir(parents=True, exist_ok=True)
        return replace(stage, folder=rest)
    if instruction == "COPY":
        words = rest.split()
        source = made[words.pop(0).removeprefix("--from=")].root if words[0].startswith("--") else context
        target = _inside(stage, os.path.join(stage.folder, words[1]))
        _copied(source / words[0].lstrip("/"), target / words[0] if words[1].endswith("/") else target)
    if instruction == "RUN":
        print(f"RUN {rest[:100]}", flush=True)
        _run(stage, rest)
    return stage


def _run(stage: Stage, command: str) -> None:
    ours = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    subprocess.run(
        ["/usr/sbin/chroot", stage.root, "/bin/sh", "-c", f"cd {stage.folder} && {command}"],
        env={**ours, "HOME": "/root", **stage.arguments, **stage.environment},
        check=True,
    )


def _inside(stage: Stage, path: str) -> Path:
    return stage.root / os.path.normpath(path).lstrip("/")


def _copied(source: Path, target: Path) -> Path:
    """Copy a file or a folder, owners and modes included."""
    target.parent.mkdir(parents=True, exist_ok=True)
    is_there = target.is_dir() and source.is_dir()
    subprocess.run(["cp", "-a", f"{source}/." if is_there else source, target], check=True)
    return target


def _ignored(folder: str, names: list[str]) -> list[str]:
    """Return what .dockerignore keeps from the build."""
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    wanted = [line[1:] for line in lines if line.startswith("!")]
    patterns = [line for line in lines if (line and line[0] not in "#!*") or line.startswith("**/")]
    inner = os.path.relpath(folder, REPOSITORY)
    if inner == ".":
        return [name for name in names if name not in wanted]
    return [
        name
        for name in names
        if os.path.join(inner, name) in patterns
        or any(fnmatch.fnmatch(name, pattern[3:]) for pattern in patterns if pattern.startswith("**/"))
    ]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
