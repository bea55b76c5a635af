#!/usr/bin/env python3
"""Writes a copy of a production source with one rule wrong, for a search that has to fail.

usage: mutate_source.py REPOSITORY NAME OUT     exits 1 if the rule is not found exactly once
       mutate_source.py --list                  NAME SOURCE of each, a line each
       mutate_source.py --run DIRECTORY         runs rekey-model-search-NAME of each; 0 if all fail
"""
import pathlib
import subprocess
import sys

SERVER = "server/rotation/transitions.cpp"
RECOVER = "server/rotation/recover.cpp"
AGENT = "agent/rotation/transitions.cpp"
# name: source, what stands there, what the copy has instead
MUTATIONS = {
    "withdraws_refused": (SERVER, "    if (!passed) return transition;\n",
                          "    if (!passed) after.pending.reset();\n    if (!passed) return transition;\n"),
    "revoke_keeps_pending": (SERVER, "    take(after.pending, transition.retired);\n", ""),
    "activates_any": (SERVER, "    if (!names(credentials.current, generation, rotation_id) || activated(credentials))\n",
                      "    if (rotation_id.empty() || !credentials.current || activated(credentials))\n"),
    "commit_sent_once": (SERVER, "    return credentials.current && !activated(credentials);\n",
                         "    return credentials.current && credentials.activated_generation == 0;\n"),
    "overwrites_candidate": (AGENT, "    if (candidate)\n        return RefuseOffer{.reason = FailureReason::candidate_unresolved,\n",
                             "    if (candidate && held.empty())\n        return RefuseOffer{.reason = FailureReason::candidate_unresolved,\n"),
    "proves_unwritten": (AGENT, "        if (is_candidate(*same)) return WriteCandidate{held};\n", ""),
    "recovers_below_newest": (RECOVER, "newest_held >= next ? newest_held + 1 : next;", "next;"),
}


def mutate(repository, name, out):
    source, rule, wrong = MUTATIONS[name]
    text = (pathlib.Path(repository) / source).read_text(encoding="utf-8")
    if text.count(rule) != 1:
        print(f"{source}: the mutation {name} does not apply any more: its rule stands there "
              f"{text.count(rule)} times. Write it anew in {__file__}.", file=sys.stderr)
        return 1
    pathlib.Path(out).write_text(text.replace(rule, wrong), encoding="utf-8")
    return 0


def run(directory):
    found = 0
    for name in MUTATIONS:
        program = pathlib.Path(directory) / f"rekey-model-search-{name}"
        done = subprocess.run([program, "--searches"], capture_output=True, text=True, check=False)
        broken = done.returncode == 1 and "; BROKEN " in done.stdout
        print(f"{name}: {'found' if broken else 'NOT FOUND'}")
        print("\n".join(line for line in done.stdout.splitlines()
                        if line.startswith("    ") or "; BROKEN " in line))
        found += broken
    print(f"{found} of {len(MUTATIONS)} mutations of the source are found")
    return 0 if found == len(MUTATIONS) else 1


def main():
    arguments = sys.argv[1:]
    if arguments == ["--list"]:
        print("\n".join(f"{name} {source}" for name, (source, _, _) in MUTATIONS.items()))
        return 0
    if len(arguments) == 2 and arguments[0] == "--run":
        return run(arguments[1])
    if len(arguments) == 3:
        return mutate(*arguments)
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main())
