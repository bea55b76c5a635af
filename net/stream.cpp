#include "net/stream.hpp"

#include "base/contract.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <sys/socket.h>

namespace rekey::net {
namespace {

int descriptor_of(BIO* bio) {
    // The descriptor itself is the BIO's data: no allocation, and nothing to free.
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool is_retry(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int bio_write(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    errno = 0;
    // MSG_NOSIGNAL: a library must not change its host's signal dispositions.
    const ssize_t sent =
        ::send(descriptor_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent < 0 && is_retry(errno)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int size) {
    BIO_clear_retry_flags(bio);
    errno = 0;
    const ssize_t received = ::recv(descriptor_of(bio), data, static_cast<std::size_t>(size), 0);
    if (received < 0 && is_retry(errno)) BIO_set_retry_read(bio);
    if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return static_cast<int>(received);
}

long bio_control(BIO* bio, int command, long, void*) {
    switch (command) {
        case BIO_CTRL_FLUSH:
            return 1;
        case BIO_CTRL_EOF:
            return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
        default:
            return 0;
    }
}

int bio_create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD* make_socket_method() {
    BIO_METHOD* method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    REKEY_ASSERT(method != nullptr);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    BIO_meth_set_create(method, bio_create);
    return method;
}

BIO_METHOD* socket_method() {
    static BIO_METHOD* const method = make_socket_method();
    return method;
}

}  // namespace

Stream::Stream(TcpSocket socket, TlsSession session, std::shared_ptr<const void> keep)
    : socket_(std::move(socket)), keep_(std::move(keep)), tls_(std::move(session)) {
    // OpenSSL's calls on the descriptor must not block.
    ErrorCode ignored;
    socket_.native_non_blocking(true, ignored);
    BIO* bio = BIO_new(socket_method());
    REKEY_ASSERT(bio != nullptr);
    // The descriptor itself is the BIO's data: a number, never followed.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket_.native_handle())));
    SSL_set_bio(tls_.get(), bio, bio);
}

Stream::Progress Stream::progress_of(int result, std::size_t bytes) {
    if (result > 0) return {Want::nothing, bytes, {}};
    const int system_error = errno;
    Progress progress;
    switch (SSL_get_error(tls_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            progress.want = Want::read;
            return progress;
        case SSL_ERROR_WANT_WRITE:
            progress.want = Want::write;
            return progress;
        case SSL_ERROR_ZERO_RETURN:
            progress.error = boost::asio::error::eof;
            return progress;
        case SSL_ERROR_SYSCALL:
            progress.error = system_error == 0
                                 ? ErrorCode(boost::asio::error::connection_reset)
                                 : ErrorCode(system_error, boost::system::system_category());
            break;
        default: {
            const unsigned long code = ERR_get_error();
            // An end without close_notify could be an attacker's: it is never a clean end.
            if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
                progress.error = boost::asio::ssl::error::stream_truncated;
            else
                progress.error =
                    ErrorCode(static_cast<int>(code), boost::asio::error::get_ssl_category());
            break;
        }
    }
    ERR_clear_error();
    return progress;
}

Stream::Progress Stream::tls_handshake() {
    ERR_clear_error();
    return progress_of(SSL_do_handshake(tls_.get()), 0);
}

Stream::Progress Stream::tls_read(void* data, std::size_t size) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int result = SSL_read_ex(tls_.get(), data, size, &bytes);
    return progress_of(result, bytes);
}

Stream::Progress Stream::tls_write(const void* data, std::size_t size) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int result = SSL_write_ex(tls_.get(), data, size, &bytes);
    return progress_of(result, bytes);
}

void Stream::shutdown_send() noexcept {
    if (!socket_.is_open()) return;
    if (tls_ && SSL_in_init(tls_.get()) == 0) {
        ERR_clear_error();
        SSL_shutdown(tls_.get());
        ERR_clear_error();
    }
    ErrorCode ignored;
    socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void Stream::close() noexcept {
    ErrorCode ignored;
    socket_.close(ignored);
}

}  // namespace rekey::net
