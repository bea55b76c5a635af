#!/usr/bin/env python3
"""What is shipped can not be killed by a fail point: neither the switch nor one of the names is in the programs.

usage: absent_from_release.py SHIPPED... --with KILLABLE...

The second list is the counter-check: the same search finds both in the programs of tests/kill.
"""
import pathlib
import re
import sys

SWITCH = b"REKEY_FAIL_POINT"
SOURCE = pathlib.Path(__file__).parent


def all_names():
    text = "".join((SOURCE / name).read_text() for name in ("fail_points_on.cpp", "fail_points.hpp"))
    names = {name.encode() for name in re.findall(r'"((?:agent|server)\.[a-z_.]+)"', text)}
    assert b"agent.send.rotation_complete" in names and len(names) > 30, names
    return names


def found(program):
    content = pathlib.Path(program).read_bytes()
    # With its end, so that "server.listening" does not count as "server.listen".
    needles = {SWITCH} | {name + b"\0" for name in all_names()}
    return [needle.decode().rstrip("\0") for needle in sorted(needles) if needle in content]


def main():
    shipped, killable = " ".join(sys.argv[1:]).split(" --with ")
    wrong = [f"{program} holds {', '.join(found(program))}" for program in shipped.split() if found(program)]
    wrong += [f"{program} has no fail points" for program in killable.split() if len(found(program)) < 20]
    print("\n".join(wrong) or "no fail point in what is shipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
