#include "net/certificates.hpp"

#include "base/contract.hpp"
#include "base/encoding.hpp"
#include "net/openssl.hpp"

#include <openssl/pem.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <ctime>
#include <optional>

namespace rekey::net {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr auto kCaLife = days{3650};
constexpr auto kLeafLife = days{90};
// Clients whose clock is a little behind must not refuse what was issued just now.
constexpr auto kBackdating = hours{1};
constexpr std::string_view kPinPrefix = "sha256:";

KeyPtr make_key() {
    KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    REKEY_ASSERT(key != nullptr);
    return key;
}

Secret key_to_pem(EVP_PKEY* key) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    REKEY_ASSERT(
        PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    Secret pem(std::string_view(data, static_cast<std::size_t>(size)));
    wipe_memory(data, static_cast<std::size_t>(size));
    return pem;
}

std::string certificate_to_pem(X509* certificate) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    REKEY_ASSERT(PEM_write_bio_X509(bio.get(), certificate) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

// 16 random bytes, positive and not zero (RFC 5280, section 4.1.2.2).
void set_serial(X509* certificate, Random& random) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    bytes.front() = static_cast<std::uint8_t>((bytes.front() & 0x3fU) | 0x40U);
    const BignumPtr number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    REKEY_ASSERT(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void set_life(X509* certificate, Time now, days life) {
    const std::time_t from = std::chrono::system_clock::to_time_t(now - kBackdating);
    const std::time_t until = std::chrono::system_clock::to_time_t(now + life);
    REKEY_ASSERT(ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr);
    REKEY_ASSERT(ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr);
}

void set_common_name(X509* certificate, std::string_view name) {
    REKEY_ASSERT(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                            reinterpret_cast<const unsigned char*>(name.data()),
                                            static_cast<int>(name.size()), -1, 0) == 1);
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    REKEY_ASSERT(extension != nullptr);
    REKEY_ASSERT(X509_add_ext(certificate, extension.get(), -1) == 1);
}

bool is_dns_name(std::string_view host) {
    if (host.empty() || host.size() > 253 || host.front() == '.' || host.front() == '-')
        return false;
    return std::ranges::all_of(host, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
    });
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower;
}

// One spelling for every address and name, so that "::0001" and "LOCALHOST" compare.
std::string canonical(std::string_view host) {
    const std::string text(host);
    std::array<unsigned char, 16> raw{};
    std::array<char, INET6_ADDRSTRLEN> out{};
    for (const int family : {AF_INET, AF_INET6}) {
        if (inet_pton(family, text.c_str(), raw.data()) == 1)
            return inet_ntop(family, raw.data(), out.data(), out.size());
    }
    return to_lower(host);
}

bool add_name(GENERAL_NAMES* names, const std::string& host) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    REKEY_ASSERT(name != nullptr);
    REKEY_ASSERT(sk_GENERAL_NAME_push(names, name) > 0);
    if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str())) {
        GENERAL_NAME_set0_value(name, GEN_IPADD, address);
        return true;
    }
    if (!is_dns_name(host)) return false;
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    REKEY_ASSERT(text != nullptr);
    REKEY_ASSERT(ASN1_STRING_set(text, host.data(), static_cast<int>(host.size())) == 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    return true;
}

Result<> add_names(X509* certificate, const std::vector<std::string>& hosts) {
    std::vector<std::string> all;
    all.reserve(hosts.size() + 3);
    for (const std::string& host : hosts) all.push_back(canonical(host));
    for (const char* own : {"localhost", "127.0.0.1", "::1"}) all.emplace_back(own);
    const GeneralNamesPtr names(GENERAL_NAMES_new());
    for (auto name = all.begin(); name != all.end(); ++name) {
        if (std::find(all.begin(), name, *name) != name) continue;
        if (!add_name(names.get(), *name))
            return Error(Code::invalid_params,
                         "not a host name or IP address for a certificate: " + *name);
    }
    REKEY_ASSERT(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0,
                                   X509V3_ADD_DEFAULT) == 1);
    return {};
}

std::string name_text(const GENERAL_NAME* name) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(name, &type);
    const auto* text = static_cast<const ASN1_STRING*>(value);
    if (type == GEN_DNS)
        return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                           static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (type != GEN_IPADD) return {};
    const int length = ASN1_STRING_length(text);
    if (length != 4 && length != 16) return {};
    std::array<char, INET6_ADDRSTRLEN> out{};
    return inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(text), out.data(),
                     out.size());
}

Time to_time(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return Time{};
    return std::chrono::time_point_cast<Milliseconds>(
        std::chrono::system_clock::from_time_t(timegm(&parts)));
}

CertificateFacts facts_of(X509* certificate) {
    CertificateFacts facts;
    facts.not_before = to_time(X509_get0_notBefore(certificate));
    facts.not_after = to_time(X509_get0_notAfter(certificate));
    facts.pin = pin_of(certificate);
    facts.is_ca = X509_check_ca(certificate) > 0;
    const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        std::string text = name_text(sk_GENERAL_NAME_value(names.get(), i));
        if (!text.empty()) facts.names.push_back(std::move(text));
    }
    return facts;
}

Error unreadable() {
    return Error(Code::invalid_params, "no readable PEM certificate (BEGIN CERTIFICATE)");
}

X509Ptr new_certificate(EVP_PKEY* key, Random& random, Time now, days life) {
    X509Ptr certificate(X509_new());
    REKEY_ASSERT(certificate != nullptr);
    REKEY_ASSERT(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    set_serial(certificate.get(), random);
    set_life(certificate.get(), now, life);
    REKEY_ASSERT(X509_set_pubkey(certificate.get(), key) == 1);
    return certificate;
}

}  // namespace

Result<KeyedCertificate> make_ca(std::string_view common_name, const Clock& clock, Random& random) {
    if (common_name.empty() || common_name.size() > 64)
        return Error(Code::invalid_params, "a CA's name has 1 to 64 characters");
    const KeyPtr key = make_key();
    const X509Ptr ca = new_certificate(key.get(), random, clock.now(), kCaLife);
    set_common_name(ca.get(), common_name);
    REKEY_ASSERT(X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1);
    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    REKEY_ASSERT(X509_sign(ca.get(), key.get(), EVP_sha256()) > 0);
    return KeyedCertificate{certificate_to_pem(ca.get()), key_to_pem(key.get())};
}

Result<KeyedCertificate> issue_certificate(const KeyedCertificate& ca,
                                           const std::vector<std::string>& hosts,
                                           const Clock& clock, Random& random) {
    const std::vector<X509Ptr> issuers = parse_certificates(ca.certificate_pem);
    if (issuers.empty()) return unreadable();
    X509* issuer = issuers.front().get();
    const KeyPtr issuer_key = parse_key(ca.key_pem);
    if (!issuer_key || X509_check_private_key(issuer, issuer_key.get()) != 1)
        return Error(Code::invalid_params, "the CA's private key is not that of its certificate");

    const KeyPtr key = make_key();
    const X509Ptr leaf = new_certificate(key.get(), random, clock.now(), kLeafLife);
    set_common_name(leaf.get(), "rekeyd");
    REKEY_ASSERT(X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer)) == 1);
    add_extension(leaf.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(leaf.get(), issuer, NID_key_usage, "critical,digitalSignature");
    add_extension(leaf.get(), issuer, NID_ext_key_usage, "serverAuth");
    add_extension(leaf.get(), issuer, NID_subject_key_identifier, "hash");
    add_extension(leaf.get(), issuer, NID_authority_key_identifier, "keyid");
    REKEY_TRY(add_names(leaf.get(), hosts));
    REKEY_ASSERT(X509_sign(leaf.get(), issuer_key.get(), EVP_sha256()) > 0);
    return KeyedCertificate{certificate_to_pem(leaf.get()), key_to_pem(key.get())};
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
    const std::vector<X509Ptr> found = parse_certificates(pem);
    if (found.empty()) return unreadable();
    return facts_of(found.front().get());
}

Result<std::vector<CertificateFacts>> read_certificates(std::string_view pem) {
    const std::vector<X509Ptr> found = parse_certificates(pem);
    if (found.empty()) return unreadable();
    std::vector<CertificateFacts> all;
    all.reserve(found.size());
    for (const X509Ptr& certificate : found) all.push_back(facts_of(certificate.get()));
    return all;
}

Result<> require_matching_key(std::string_view pem, const Secret& key_pem) {
    const std::vector<X509Ptr> found = parse_certificates(pem);
    if (found.empty()) return unreadable();
    const KeyPtr key = parse_key(key_pem);
    if (!key)
        return Error(Code::invalid_params, "no readable private key in PEM without pass phrase");
    if (X509_check_private_key(found.front().get(), key.get()) != 1)
        return Error(Code::invalid_params, "the private key is not that of the first certificate");
    return {};
}

bool names_host(const CertificateFacts& facts, std::string_view host) {
    const std::string wanted = canonical(host);
    return std::ranges::any_of(facts.names,
                               [&](const std::string& name) { return canonical(name) == wanted; });
}

bool is_due_for_renewal(const CertificateFacts& facts, Time now) {
    return now < facts.not_before ||
           now >= facts.not_before + (facts.not_after - facts.not_before) * 2 / 3;
}

bool is_pin(std::string_view text) {
    if (!text.starts_with(kPinPrefix)) return false;
    text.remove_prefix(kPinPrefix.size());
    return text.size() == 64 && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

}  // namespace rekey::net
