#!/usr/bin/env python3
"""What is shipped can not be killed by a fail point: neither the switch nor one of the names is in the programs.

usage: absent_from_release.py SHIPPED... --with KILLABLE...

The second list is the counter-check: the same search finds both in the programs of tests/kill.
"""
import pathlib
import re
import sys

SWITCH = b"REKEY_FAIL_POINT"
NAMES = [b"agent.send.rotation_complete", b"agent.state.rename", b"server.store.before_commit", b"server.wal.fsync"]
SOURCE = pathlib.Path(__file__).parent


def all_names():
    text = "".join((SOURCE / name).read_text() for name in ("fail_points_on.cpp", "fail_points.hpp"))
    names = {name.encode() for name in re.findall(r'"((?:agent|server)\.[a-z_.]+\.[a-z_]+)"', text)}
    assert names.issuperset(NAMES[:1]) and len(names) > 30, names
    return names | set(NAMES)


def found(program):
    content = pathlib.Path(program).read_bytes()
    return [needle.decode() for needle in sorted({SWITCH} | all_names()) if needle in content]


def main():
    shipped, killable = " ".join(sys.argv[1:]).split(" --with ")
    wrong = [f"{program} holds {', '.join(found(program))}" for program in shipped.split() if found(program)]
    wrong += [f"{program} has no fail points" for program in killable.split() if SWITCH.decode() not in found(program)]
    print("\n".join(wrong) or "no fail point in what is shipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
