#pragma once

#include "base/openssl_owner.hpp"

#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <memory>

// More owners for OpenSSL's objects. Inside keys/ only.
namespace rekey::keys {

using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>>;
using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>>;
using EcdsaSignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

}  // namespace rekey::keys
