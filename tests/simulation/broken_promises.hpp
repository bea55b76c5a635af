#pragma once

#include "tests/simulation/simulation.hpp"

// Parts that break the promise that everything rests on, each in one way. With any of them a
// simulation has to fail; that it does is what makes the others' success worth something.
namespace rekey::simulation {

// fsync says that it is done, and nothing is on the disk.
void let_syncs_be_forgotten(Options& options);
// The agent answers before its token is saved: what it writes reaches its folder a little later.
void let_agents_answer_before_they_save(Options& options);
// A crash of the server loses the newest commit, which had been acknowledged.
void let_the_store_forget_its_last_commit(Options& options);
// The server decides by what the database said a while ago.
void let_reads_lag_behind(Options& options);
// A restored database takes the file of revocations with it.
void let_revocations_be_restored_away(Options& options);

}  // namespace rekey::simulation
