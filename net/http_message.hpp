#pragma once

#include "base/secret.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rekey::net {

// Plain HTTP/1.1 messages, so that nobody outside net/ instantiates Beast's.

class HttpHeaders {
  public:
    // Appends; names keep the case they were given.
    void add(std::string_view name, std::string_view value);
    // The first of that name, compared without case; empty if there is none.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const {
        return entries_;
    }

  private:
    std::vector<std::pair<std::string, std::string>> entries_;
};

struct HttpResponse {
    unsigned status = 200;
    HttpHeaders headers;  // Content-Length, Connection, Date and Server are net/'s own
    std::string body;     // with `Content-Type: application/json` unless a header says otherwise

    [[nodiscard]] static HttpResponse json(unsigned status, std::string body);
};

// What a client sends. Values of headers are Secret because most of them are credentials.
struct HttpCall {
    std::string method = "GET";
    std::string target = "/";
    std::vector<std::pair<std::string, Secret>> headers;
    Secret body;  // with `Content-Type: application/json` if it is not empty
};

}  // namespace rekey::net
