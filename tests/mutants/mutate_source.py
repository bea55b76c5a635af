#!/usr/bin/env python3
"""Writes copies of production sources with one rule wrong, and runs what has to find it.

usage: mutate_source.py REPOSITORY NAME SOURCE OUT   exits 1 if the rule is not found exactly once
       mutate_source.py --list                       NAME ENGINE SOURCE... of each, a line each
       mutate_source.py --run DIRECTORY WHICH        runs mutant-NAME of those that the search finds
                                                     (search) or all others (rest); 0 if each fails
"""
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # beside the sources
from mutations import MUTATIONS

SEEDS = "40"  # of the simulation, at most


def mutate(repository, name, source, out):
    text = (pathlib.Path(repository) / source).read_text(encoding="utf-8")
    for edited, rule, wrong in MUTATIONS[name].edits:
        if edited != source:
            continue
        if text.count(rule) != 1:
            print(f"{source}: the mutation {name} does not apply any more: its rule stands there "
                  f"{text.count(rule)} times. Write it anew in tests/mutants/mutations.py.", file=sys.stderr)
            return 1
        text = text.replace(rule, wrong)
    out = pathlib.Path(out)
    out.parent.mkdir(exist_ok=True)
    out.write_text(text, encoding="utf-8")
    return 0


def sources_of(mutation):
    return sorted({source for source, _, _ in mutation.edits})


# The first line that says what is broken, and the story below it.
def search(program, mutation):
    done = subprocess.run([program, "--only", mutation.only, "--watch", mutation.breaks],
                          capture_output=True, text=True, check=False)
    told = [line for line in done.stdout.splitlines() if line.startswith("    ") or "; BROKEN " in line]
    return done.returncode == 1 and any(f"; BROKEN {mutation.breaks}" in line for line in told), told


def simulate(program, mutation):
    done = subprocess.run([program, "--agents", "8", "--days", "20", "--seed", "1", "--seeds", SEEDS,
                           *(["--season", mutation.season] if mutation.season else [])],
                          capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    failed = [at for at, line in enumerate(lines) if ": FAILED" in line]
    told = lines[failed[0]:failed[0] + 4] if failed else []
    return done.returncode == 1 and any(line.startswith(mutation.breaks) for line in told), told


def unit_test(program, mutation):
    suite = mutation.found_by.partition(".")[2]
    done = subprocess.run([program, f"--run_test={suite}"], capture_output=True, text=True, check=False)
    told = [line for line in (done.stdout + done.stderr).splitlines() if "error: in " in line]
    return done.returncode != 0 and any(f"/{mutation.breaks}" in line for line in told), told


ENGINES = {"search": search, "simulation": simulate}


def run(directory, which):
    wanted = {name: mutation for name, mutation in MUTATIONS.items()
              if (mutation.found_by == "search") == (which == "search")}
    missed = []
    for name, mutation in wanted.items():
        program = pathlib.Path(directory) / f"mutant-{name}"
        found, told = ENGINES.get(mutation.found_by, unit_test)(program, mutation)
        print(f"{name}: {'found' if found else 'NOT FOUND'} by the {mutation.found_by}", *told, sep="\n", flush=True)
        if not found:
            missed.append(name)
    print(f"{len(wanted) - len(missed)} of {len(wanted)} mutations of the source are found",
          *(f"NOT FOUND: {name}" for name in missed), sep="\n")
    return 1 if missed else 0


def main():
    arguments = sys.argv[1:]
    if arguments == ["--list"]:
        for name, mutation in MUTATIONS.items():
            print(name, mutation.found_by, *sources_of(mutation))
        return 0
    if len(arguments) == 3 and arguments[0] == "--run":
        return run(*arguments[1:])
    if len(arguments) == 4:
        return mutate(*arguments)
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main())
