#include "base/durable_file.hpp"
#include "base/time_format.hpp"
#include "keys/seal.hpp"
#include "net/certificates.hpp"
#include "server/bootstrap/blocking.hpp"
#include "server/bootstrap/server_certificate.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <sysexits.h>
#include <utility>

namespace rekey::server::bootstrap {
namespace {

// Rows of the meta table, and what their private keys are sealed for.
struct Place {
    std::string_view certificate;
    std::string_view key;
    std::string_view purpose;
};
constexpr Place kCa{"ca_certificate", "ca_private_key", "ca-private-key"};
constexpr Place kLeaf{"server_certificate", "server_private_key", "server-private-key"};

using Loaded = std::optional<net::KeyedCertificate>;

Result<Loaded> load(storage::Transaction& transaction, const Place& place,
                    const keys::MasterKey& master_key) {
    REKEY_TRY_ASSIGN(certificate, transaction.meta().get(place.certificate));
    REKEY_TRY_ASSIGN(key, transaction.meta().get(place.key));
    if (!certificate || !key) return Loaded();
    REKEY_TRY_ASSIGN(opened, keys::open(master_key, place.purpose, *key));
    net::KeyedCertificate loaded;
    loaded.certificate_pem.assign(certificate->begin(), certificate->end());
    loaded.key_pem = std::move(opened);
    return Loaded(std::move(loaded));
}

struct Entry {
    Place place;
    std::string certificate_pem;
    Bytes sealed_key;
    std::string audit_action;
    Time time;
};

Result<bool> save(storage::Transaction& transaction, const Entry& entry) {
    REKEY_TRY(transaction.meta().set(entry.place.certificate, as_bytes(entry.certificate_pem)));
    REKEY_TRY(transaction.meta().set(entry.place.key, entry.sealed_key));
    storage::AuditEvent event;
    event.time = entry.time;
    event.actor = "system";
    event.action = entry.audit_action;
    event.subject = std::string(entry.place.certificate);
    event.outcome = "ok";
    if (const auto facts = net::read_certificate(entry.certificate_pem); facts.has_value()) {
        event.details["pin"] = facts->pin;
        event.details["not_after"] = to_rfc3339(facts->not_after);
    }
    transaction.audit().append(std::move(event));
    return true;
}

class OwnCertificate final : public ServerCertificate {
  public:
    explicit OwnCertificate(OwnCertificateParts parts) : parts_(std::move(parts)) {
        open_ca();
        open_leaf();
        auto tls = net::ServerTls::make(chain(leaf_), leaf_.key_pem, parts_.clock, parts_.random);
        tls_ = tls.value();
        trust(ca_.certificate_pem);
    }

    void check() override {
        const auto facts = net::read_certificate(leaf_.certificate_pem);
        if (facts.has_value() && !net::is_due_for_renewal(*facts, parts_.clock.now()))
            return store_leaf();
        auto issued = issue();
        if (issued.has_error()) {
            parts_.log.error("certificate.not_renewed", {{"error", issued.error().message()}});
            return;
        }
        const auto served = tls_->replace(chain(*issued), issued->key_pem);
        if (served.has_error()) {
            parts_.log.error("certificate.not_renewed", {{"error", served.error().message()}});
            return;
        }
        leaf_ = *std::move(issued);
        log_leaf("certificate.renewed");
        *stored_ = Stored::not_yet;
        store_leaf();
    }

  private:
    [[nodiscard]] std::string chain(const net::KeyedCertificate& leaf) const {
        return leaf.certificate_pem + ca_.certificate_pem;
    }
    [[nodiscard]] Result<net::KeyedCertificate> issue() const {
        return net::issue_certificate(ca_, {parts_.advertised_host}, parts_.clock, parts_.random);
    }
    [[nodiscard]] Entry describe(const Place& place, const net::KeyedCertificate& keyed,
                                 std::string action) const {
        return {place, keyed.certificate_pem,
                keys::seal(parts_.master_key, place.purpose, keyed.key_pem, parts_.random),
                std::move(action), parts_.clock.now()};
    }
    // Again at each check, until the database takes it. One that is served and not stored is issued
    // once more at the next start: no harm.
    void store_leaf() {
        auto expected = Stored::not_yet;
        if (!stored_->compare_exchange_strong(expected, Stored::under_way)) return;
        auto entry = std::make_shared<Entry>(describe(kLeaf, leaf_, "certificate.renewed"));
        parts_.store.write(
            [entry](storage::Transaction& transaction) -> Result<> {
                REKEY_TRY(save(transaction, *entry));
                return {};
            },
            [&log = parts_.log, stored = stored_](const Result<>& saved) {
                *stored = saved.has_value() ? Stored::done : Stored::not_yet;
                if (saved.has_value()) return log.info("certificate.stored");
                log.error("certificate.not_stored", {{"error", saved.error().message()}});
            });
    }
    void save_now(const Place& place, const net::KeyedCertificate& keyed, std::string action) {
        const auto entry = describe(place, keyed, std::move(action));
        const auto saved = write_now<bool>(
            parts_.store,
            [&entry](storage::Transaction& transaction) { return save(transaction, entry); });
        static_cast<void>(saved.value());
    }
    [[nodiscard]] Loaded load_now(const Place& place) {
        auto stored = read_now<Loaded>(parts_.store, [&](storage::Transaction& transaction) {
            return load(transaction, place, parts_.master_key);
        });
        return std::move(stored).value();
    }

    void open_ca() {
        if (auto stored = load_now(kCa)) {
            ca_ = std::move(*stored);
        } else {
            ca_ = net::make_ca("Rekey CA", parts_.clock, parts_.random).value();
            save_now(kCa, ca_, "ca.created");
        }
        const auto present = read_file(parts_.ca_file, ca_.certificate_pem.size());
        if (present.has_value() && *present == ca_.certificate_pem) return;
        if (const auto failure = write_durably(parts_.ca_file, ca_.certificate_pem)) {
            throw StartupError("cannot write the CA certificate: " + failure->what, EX_CANTCREAT);
        }
    }

    void open_leaf() {
        const char* event = "certificate.issued";
        if (auto stored = load_now(kLeaf)) {
            const auto facts = net::read_certificate(stored->certificate_pem);
            leaf_ = std::move(*stored);
            if (facts.has_value() && net::names_host(*facts, parts_.advertised_host) &&
                !net::is_due_for_renewal(*facts, parts_.clock.now())) {
                return;
            }
            event = "certificate.renewed";
        }
        auto issued = issue();
        if (issued.has_error()) {
            throw StartupError("no certificate for " + parts_.advertised_host + ": " +
                                   issued.error().message() + "; give --advertise HOST:PORT",
                               EX_CONFIG);
        }
        leaf_ = *std::move(issued);
        save_now(kLeaf, leaf_, event);
        log_leaf(event);
    }

    void log_leaf(std::string_view event) const {
        const auto facts = net::read_certificate(leaf_.certificate_pem);
        if (facts.has_error()) return;
        parts_.log.info(
            event, {{"host", parts_.advertised_host}, {"not_after", to_rfc3339(facts->not_after)}});
    }

    enum class Stored : std::uint8_t { not_yet, under_way, done };

    OwnCertificateParts parts_;
    net::KeyedCertificate ca_;
    net::KeyedCertificate leaf_;
    // Of leaf_; shared with the store's thread, which answers.
    std::shared_ptr<std::atomic<Stored>> stored_ =
        std::make_shared<std::atomic<Stored>>(Stored::done);
};

}  // namespace

std::unique_ptr<ServerCertificate> open_own_certificate(OwnCertificateParts parts) {
    return std::make_unique<OwnCertificate>(std::move(parts));
}

}  // namespace rekey::server::bootstrap
