"""Production with one rule wrong: what stands in its sources, and what a copy of them has instead.

Each is a mutant of the table in docs/rotation.md, in the daemons' own code. The search finds those
that stand in the transitions, the simulation those in the duties that the daemons have around them;
for three of them the stage is a race that only a unit test can set.
"""
import dataclasses

TRANSITIONS = "server/rotation/transitions.cpp"
RECOVER = "server/rotation/recover.cpp"
AGENT = "agent/rotation/transitions.cpp"
CONNECTOR = "agent/connector.cpp"
ENROLLMENT = "agent/enrollment.cpp"


@dataclasses.dataclass
class Mutation:
    breaks: str  # how the name of the invariant, or of the unit test, begins that has to find it
    edits: list  # (source, what stands there once, what the copy has instead)
    only: str = "messages"  # of the searches: those whose name holds this text
    found_by: str = "search"  # or "simulation", or a unit test: TARGET.SUITE
    season: str = ""  # of the simulation


# ---- rules, to be combined

WITHDRAWS_REFUSED = (TRANSITIONS, "    if (!passed) return transition;\n",
                     '    if (refusal.reason != "timeout") after.pending.reset();\n'
                     "    if (!passed) return transition;\n")
CANCELS_AFTER_TIME_OUT = (TRANSITIONS, "    if (!passed) return transition;\n",
                          '    if (refusal.reason == "timeout") after.pending.reset();\n'
                          "    if (!passed) return transition;\n")
DROPS_PREVIOUS = (TRANSITIONS, "    close_settled(after);\n    return transition;\n}\n\n}  // namespace\n",
                  "    take(after.previous, transition.retired);\n"
                  "    close_settled(after);\n    return transition;\n}\n\n}  // namespace\n")
# The grace begins with the promotion, whatever the agent has confirmed.
RETIRES_BY_TIMER = [
    (TRANSITIONS, "                                       .expires_at = after.current->expires_at};\n",
     "                                       .expires_at = after.current->expires_at,\n"
     "                                       .retire_after = now + policy.grace};\n"),
    (TRANSITIONS, "    return activated(credentials) && credentials.previous && credentials.previous->retire_after &&\n",
     "    return credentials.previous && credentials.previous->retire_after &&\n"),
]
ACTIVATES_WITH_THE_PROMOTION = [
    RETIRES_BY_TIMER[0],
    (TRANSITIONS, "    after.pending.reset();\n    const double span",
     "    after.activated_generation = after.pending->generation;\n    after.pending.reset();\n    const double span"),
]
HOLDS_ONE_TOKEN = [
    (AGENT, "    if (confirmed) write.next.push_back(*confirmed);\n", ""),
    (AGENT, "    write.next.push_back({offer.generation, offer.rotation_id, offer.token, TokenState::candidate});\n",
     "    write.next.push_back({offer.generation, offer.rotation_id, offer.token, TokenState::confirmed});\n"),
]
WITHOUT_RULE_A = (AGENT, "    if (candidate)\n        return RefuseOffer{.reason = FailureReason::candidate_unresolved,\n",
                  "    if (candidate && held.empty())\n"
                  "        return RefuseOffer{.reason = FailureReason::candidate_unresolved,\n")
WITHOUT_RULE_B = (AGENT, "    return ConfirmThenAnswer{with_confirmed(held, rotation_id)};\n",
                  "    return AnswerActivated{};\n")

MUTATIONS = {
    # ---- shapes of the field
    "one_token_and_cancels": Mutation("L:", [CANCELS_AFTER_TIME_OUT, *HOLDS_ONE_TOKEN]),
    "withdraws_refused": Mutation("S5:", [WITHDRAWS_REFUSED]),
    "one_token_and_withdraws": Mutation("L:", [WITHDRAWS_REFUSED, *HOLDS_ONE_TOKEN]),
    "revoke_keeps_pending": Mutation("I4:", [
        (TRANSITIONS, "    take(after.pending, transition.retired);\n", "")]),
    "drops_previous_and_reverts": Mutation("I1,", [
        DROPS_PREVIOUS,
        (CONNECTOR, "void Connector::on_unreachable(const Error& error) {\n",
         "void Connector::on_unreachable(const Error& error) {\n"
         "    if (const auto back = rotation::on_unknown_credential(vault_.held(), tried_)) vault_.store(*back);\n")],
        found_by="simulation"),
    "drops_previous_without_rule_a": Mutation("L:", [DROPS_PREVIOUS, WITHOUT_RULE_A]),
    "retires_by_timer_without_rule_a": Mutation("L:", [*RETIRES_BY_TIMER, WITHOUT_RULE_A]),
    "activates_unconfirmed_without_rule_a": Mutation("L:", [*ACTIVATES_WITH_THE_PROMOTION, WITHOUT_RULE_A]),
    "timer_and_cancels_without_rule_a": Mutation("L:", [
        CANCELS_AFTER_TIME_OUT, *RETIRES_BY_TIMER, WITHOUT_RULE_A]),
    # ---- rules A and B, the commit, the writes
    "without_rule_a": Mutation("L:", [WITHOUT_RULE_A]),
    "without_rules_a_and_b": Mutation("L:", [WITHOUT_RULE_A, WITHOUT_RULE_B]),
    "commit_sent_once": Mutation("I7:", [
        (TRANSITIONS, "    return credentials.current && !activated(credentials);\n",
         "    return credentials.current && credentials.activated_generation == 0;\n")]),
    "activates_any": Mutation("I6:", [
        (TRANSITIONS, "    if (!names(credentials.current, generation, rotation_id) || activated(credentials))\n",
         "    if (rotation_id.empty() || !credentials.current || activated(credentials))\n")]),
    "proves_unwritten": Mutation("L:", [
        (AGENT, "        if (is_candidate(*same)) return WriteCandidate{held};\n", "")], only="disks"),
    "connects_unsynced": Mutation("I1,", [
        (CONNECTOR, "    if (vault_.make_durable()) return names;\n",
         "    if (vault_.make_durable() || vault_.held().size() > 1) return names;\n")],
        found_by="simulation", season="bad-disks"),
    "last_write_wins": Mutation("the_second_of_two_updates_of_one_version_is_a_conflict", [
        ("storage/memory/memory_tables.cpp", "    if (found->second.row_version != row.row_version)\n",
         "    if (found->second.row_version < row.row_version)\n")],
        found_by="unit_storage.agents_conformance_tests"),
    # ---- alarms and doors
    "tries_any_token": Mutation("I18:", [
        (CONNECTOR, "void Connector::on_unreachable(const Error& error) {\n",
         "void Connector::on_unreachable(const Error& error) {\n    refusals_.unknown.push_back(tried_);\n")],
        found_by="simulation"),
    "buries_withdrawn": Mutation("I18:", [
        (TRANSITIONS, "    if (!passed) return transition;\n",
         "    if (!passed) take(after.pending, transition.retired);\n    if (!passed) return transition;\n")]),
    "counts_delayed_connects": Mutation("I18:", [
        ("server/rotation/reuse.cpp",
         "    if (shown.accepted_at <= shown.retired_at || before_promotion) return accepted_first;\n",
         "    if (before_promotion && shown.generation == 0) return accepted_first;\n")], only="slow connects"),
    "starts_unsynced": Mutation("I9:", [
        ("agent/token_vault.cpp", "    return TokenVault(disk, std::move(*state));\n",
         "    TokenVault vault(disk, std::move(*state));\n    vault.missing_ = Missing::nothing;\n    return vault;\n")],
        found_by="simulation"),
    "welcomes_unread": Mutation("a_revoke_against_a_connect_in_flight_wins", [
        ("server/sessions/agent_arrival.cpp", "    if (still.has_error()) {\n",
         "    if (still.has_error() && row->agent_id.empty()) {\n"),
        ("server/sessions/agent_arrival.cpp", "    if (row->credentials.epoch != admission.epoch)\n",
         "    if (row->credentials.epoch < admission.epoch)\n")],
        found_by="unit_server_sessions.arrival_tests"),
    "revocations_inside": Mutation("I4:", [
        ("server/revocation/merge.cpp", "        REKEY_TRY(revoke_in(transaction, *row, cause, now));\n",
         "        if (row->agent_id.empty()) REKEY_TRY(revoke_in(transaction, *row, cause, now));\n")],
        found_by="simulation", season="revokes"),
    "replacements_count_anew": Mutation("I8:", [
        (TRANSITIONS, "    pending.attempts = waits ? replaced.attempts : replaced.attempts + 1;\n",
         "    pending.attempts = waits ? 1 : 1 + replaced.attempts - replaced.attempts;\n")], only="offers that fail"),
    "ends_of_sessions_untold": Mutation("I8:", [
        ("server/rotation/answers.cpp", "            return note_disconnect(agent_id, call.rotation_id, call.attempts);\n",
         "            return;\n")], found_by="simulation"),
    "unsent_offers_untold": Mutation("an_offer_that_comes_too_late", [
        ("server/rotation/offering.cpp",
         "            self->note_disconnect(kept->agent_id, kept->rotation_id, kept->attempts);\n", "")],
        found_by="unit_server_rotation.refusal_tests"),
    # ---- recovery and enrollment
    "recovers_into_current": Mutation("L:", [
        (RECOVER, '    transition.action = "recovery.minted";\n',
         "    Credentials& after = transition.after;\n"
         "    if (after.current) transition.retired.push_back({after.current->token_hash, after.current->generation});\n"
         "    after.current = storage::CurrentToken{.generation = minted.generation,\n"
         "                                          .rotation_id = minted.rotation_id,\n"
         "                                          .token_hash = minted.token_hash,\n"
         "                                          .issued_at = now,\n"
         "                                          .expires_at = now + std::chrono::hours{1}};\n"
         "    after.pending.reset();\n"
         '    transition.action = "recovery.minted";\n')], only="expiry"),
    "recovers_below_newest": Mutation("I7:", [
        (RECOVER, "newest_held >= next ? newest_held + 1 : next;", "next;")], only="backups"),
    "charges_the_expired": Mutation("I7:", [
        (RECOVER, "    if (merely_expired && !replaces) return RecoveryCost::nothing;\n",
         "    if (merely_expired && !replaces && terms.units_left == 0) return budget_spent(terms, now);\n")],
        only="expiry"),
    "connects_before_the_first_write": Mutation("I9:", [
        (ENROLLMENT, "    if (!stored.durable())\n        return Error(Code::unavailable,\n                     \"the token could",
         "    if (!stored.durable() && state.tokens.empty())\n        return Error(Code::unavailable,\n"
         "                     \"the token could"),
        (ENROLLMENT, "    if (ended) return {};\n    if (vault.make_durable()) return {};\n",
         "    if (ended || vault.held().size() == 1) return {};\n    if (vault.make_durable()) return {};\n")],
        found_by="simulation", season="bad-disks"),
    "sends_the_code_before_the_key_is_safe": Mutation("I7,", [
        (ENROLLMENT, "    auto key = make_identity(key_disk);\n    if (key.has_error()) return key;\n",
         "    auto key = make_identity(key_disk);\n    if (key.has_error()) key = Ed25519Key::generate();\n")],
        found_by="simulation"),
}
