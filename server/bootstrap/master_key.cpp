#include "server/bootstrap/master_key.hpp"

#include "server/bootstrap/blocking.hpp"
#include "server/bootstrap/master_key_rotation.hpp"

namespace rekey::server::bootstrap {
namespace {

constexpr std::string_view kCheckValue = "master_key_check";

Result<bool> read_expectation(storage::Transaction& transaction,
                              keys::MasterKeyExpectation& expectation) {
    REKEY_TRY_ASSIGN(sealed, transaction.agents().any_sealed());
    expectation.database_has_sealed_data = sealed;
    REKEY_TRY_ASSIGN(stored, transaction.meta().get(kCheckValue));
    if (stored) expectation.check_value.emplace(stored->begin(), stored->end());
    return true;
}

}  // namespace

keys::MasterKey open_master_key(const std::string& path, storage::Store& store, Random& random) {
    finish_master_key_rotation(path, store);
    keys::MasterKeyExpectation expectation;
    const auto read = read_now<bool>(store, [&expectation](storage::Transaction& transaction) {
        return read_expectation(transaction, expectation);
    });
    static_cast<void>(read.value());
    keys::MasterKey key = keys::load_or_create_master_key(path, expectation, random);
    if (expectation.check_value) return key;
    const auto check = key.check_value();
    const auto noted =
        write_now<bool>(store, [check](storage::Transaction& transaction) -> Result<bool> {
            REKEY_TRY(transaction.meta().set(kCheckValue, check));
            return true;
        });
    static_cast<void>(noted.value());
    return key;
}

}  // namespace rekey::server::bootstrap
