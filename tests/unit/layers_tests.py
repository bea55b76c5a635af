#!/usr/bin/env python3
"""The house rules that a compiler does not check: layers, what may include Beast, sizes, a README in each folder.

usage: layers_tests.py REPOSITORY     prints each broken rule and exits 1
"""
import pathlib
import re
import subprocess
import sys

# Which top-level folders each may include, besides itself.
LAYERS = {
    "base": set(),
    "protocol": {"base"},
    "storage": {"base", "protocol"},
    "keys": {"base"},
    "net": {"base"},
    "agent": {"base", "protocol", "net"},
    "cli": {"base", "protocol", "net", "keys"},
    "server": {"base", "protocol", "storage", "keys", "net"},
}
# Inside server/, low to high: a room includes only rooms before it. Files directly in server/ are named by themselves;
# app, main and config stand above all.
# The pure transitions are a room of their own, below the settings that they give words to.
ROOMS = ["transitions", "settings", "setting_layers", "rotation", "metrics", "audit", "shard", "signing", "rpc", "scheduler", "sessions",
         "enrollment", "recovery", "revocation", "methods", "http", "bootstrap", "app"]
# Template instantiation of Beast is what costs in a build: these and nothing else include it.
BEAST = {"net/", "tests/", "bench/"}
MAX_FILE_LINES = 400
MAX_README_LINES = 25
# Pure decisions: they see values only.
PURE = ["server/rotation/transitions", "server/rotation/reuse.", "agent/rotation/transitions"]
PURE_ALLOWED = {"base/clock.hpp", "base/encoding.hpp", "base/result.hpp", "base/secret.hpp", "base/limits.hpp",
                "base/contract.hpp", "base/hash.hpp", "base/time_format.hpp",
                "protocol/settings.hpp", "storage/rows.hpp"}

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')


def tracked(repository):
    names = subprocess.run(["git", "-C", repository, "ls-files"], capture_output=True, text=True, check=True).stdout
    return [pathlib.PurePosixPath(name) for name in names.splitlines()]


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def path_is_transitions(parts):
    return len(parts) == 3 and parts[1] == "rotation" and parts[2].startswith(("transitions.", "reuse."))


def room(path):
    """server/rpc/x.hpp -> rpc, server/settings.hpp -> settings; None when it is not one of ROOMS."""
    parts = pathlib.PurePosixPath(path).parts
    if len(parts) < 2 or parts[0] != "server":
        return None
    name = parts[1].split(".")[0]
    if path_is_transitions(parts):
        return "transitions"
    return name if name in ROOMS else None


def check_includes(repository, source):
    top = source.parts[0]
    for number, target in includes(repository / source):
        where = f"{source}:{number}"
        other = target.split("/")[0]
        if top in LAYERS and other in LAYERS and other != top and other not in LAYERS[top]:
            yield f"{where}: {top}/ may not include {other}/ ({target})"
        if target.startswith("boost/beast") and not any(str(source).startswith(place) for place in BEAST):
            yield f"{where}: Beast is included by net/ only"
        mine, theirs = room(source), room(target)
        if mine and theirs and ROOMS.index(theirs) > ROOMS.index(mine):
            yield f"{where}: server/{mine} lies below server/{theirs}"
        if any(str(source).startswith(pure) for pure in PURE) and "/" in target and other in LAYERS:
            if target not in PURE_ALLOWED and not any(target.startswith(pure) for pure in PURE):
                yield f"{where}: a pure transition may not include {target}"


def check(repository):
    files = tracked(repository)
    folders = set()
    for source in files:
        if source.suffix in (".cpp", ".hpp"):
            folders.add(source.parts[0] if source.parts[0] != "tests" else "tests")
            yield from check_includes(repository, source)
        if source.suffix in (".cpp", ".hpp", ".py"):
            lines = len((repository / source).read_text(encoding="utf-8").splitlines())
            if lines > MAX_FILE_LINES:
                yield f"{source}: {lines} lines, more than {MAX_FILE_LINES}"
        if source.name == "README.md" and len(source.parts) > 1:
            lines = len((repository / source).read_text(encoding="utf-8").splitlines())
            if lines > MAX_README_LINES:
                yield f"{source}: {lines} lines, more than {MAX_README_LINES}"
    for folder in sorted(folders):
        if pathlib.PurePosixPath(folder, "README.md") not in files:
            yield f"{folder}/: has no README.md"


def main():
    repository = pathlib.Path(sys.argv[1])
    broken = list(check(repository))
    for line in broken:
        print(line)
    print(f"{len(broken)} broken rule(s)")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
