#pragma once

#include "net/io.hpp"
#include "net/tls_context.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/async_base.hpp>
#include <boost/beast/core/error.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>

// Inside net/ only: Beast's and Asio's templates are built on it.
namespace rekey::net {

using ErrorCode = boost::beast::error_code;

// A connected TCP socket, plain or TLS: one type, so that the templates above it exist once.
//
// OpenSSL reads and writes the descriptor itself (through a BIO that never raises SIGPIPE), and the
// stream only waits until it can: nothing is staged, and an idle connection holds no record
// buffers. Completions are always posted, also when the data was there at once. Reading may need to
// write and the other way round (key updates); each operation waits for what OpenSSL asks for.
//
// One read and one write at a time. Whoever starts an operation keeps the stream alive through its
// handler. After a TLS error the stream is only good for closing.
class Stream {
  public:
    using executor_type = Executor;

    explicit Stream(TcpSocket socket) : socket_(std::move(socket)) {}
    // `keep` owns what the session's callbacks use: the ServerTls or ClientTls.
    Stream(TcpSocket socket, TlsSession session, std::shared_ptr<const void> keep);

    [[nodiscard]] executor_type get_executor() noexcept { return socket_.get_executor(); }
    [[nodiscard]] TcpSocket& socket() { return socket_; }
    [[nodiscard]] ssl_st* tls() const { return tls_.get(); }
    [[nodiscard]] bool is_secure() const { return tls_ != nullptr; }

    // void(ErrorCode). Only for TLS.
    template <class Handler>
    void async_handshake(Handler&& handler);

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token);
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token);

    // Tells the peer that nothing more comes (close_notify, then FIN), as far as that goes without
    // waiting.
    void shutdown_send() noexcept;
    void close() noexcept;

    // The largest record payload: what is gathered goes out in pieces of this.
    static constexpr std::size_t kRecordBytes = std::size_t{16} * 1024;

  private:
    enum class Want : std::uint8_t { nothing, read, write };
    struct Progress {
        Want want = Want::nothing;
        std::size_t bytes = 0;
        ErrorCode error;
    };

    template <class Step, class Handler>
    class TlsOperation;
    template <class Buffers>
    struct ReadStep;
    template <class Buffers>
    struct WriteStep;
    struct HandshakeStep;
    struct StartRead;
    struct StartWrite;

    [[nodiscard]] Progress tls_handshake();
    [[nodiscard]] Progress tls_read(void* data, std::size_t size);
    [[nodiscard]] Progress tls_write(const void* data, std::size_t size);
    [[nodiscard]] Progress progress_of(int result, std::size_t bytes);

    TcpSocket socket_;
    std::shared_ptr<const void> keep_;  // outlives tls_
    TlsSession tls_;
};

template <class Buffers>
struct Stream::ReadStep {
    Buffers buffers;
    Progress operator()(Stream& stream) const {
        for (auto at = boost::asio::buffer_sequence_begin(buffers);
             at != boost::asio::buffer_sequence_end(buffers); ++at) {
            const boost::asio::mutable_buffer buffer(*at);
            if (buffer.size() != 0) return stream.tls_read(buffer.data(), buffer.size());
        }
        return {};
    }
};

template <class Buffers>
struct Stream::WriteStep {
    Buffers buffers;
    // A frame's header and its payload leave in one record; copying them is cheaper than a second
    // record. A retry flattens the same bytes again, as OpenSSL demands.
    Progress operator()(Stream& stream) const {
        const auto begin = boost::asio::buffer_sequence_begin(buffers);
        const auto end = boost::asio::buffer_sequence_end(buffers);
        if (begin == end) return {};
        const boost::asio::const_buffer first(*begin);
        if (first.size() >= kRecordBytes || std::next(begin) == end)
            return first.size() == 0 ? Progress{} : stream.tls_write(first.data(), first.size());
        std::array<char, kRecordBytes> flat;  // NOLINT: filled below
        const std::size_t size =
            boost::asio::buffer_copy(boost::asio::buffer(flat.data(), flat.size()), buffers);
        return size == 0 ? Progress{} : stream.tls_write(flat.data(), size);
    }
};

struct Stream::HandshakeStep {
    Progress operator()(Stream& stream) const { return stream.tls_handshake(); }
};

template <class Step, class Handler>
class Stream::TlsOperation : public boost::beast::async_base<Handler, Executor> {
  public:
    template <class H>
    TlsOperation(Stream& stream, Step step, H&& handler)
        : boost::beast::async_base<Handler, Executor>(std::forward<H>(handler),
                                                      stream.get_executor()),
          stream_(&stream),
          step_(std::move(step)) {
        (*this)({}, false);
    }

    void operator()(ErrorCode error, bool is_continuation = true) {
        // The wait may have been over just before the socket was closed, and its descriptor may be
        // another connection's by now.
        if (!error && !stream_->socket_.is_open()) error = boost::asio::error::operation_aborted;
        Progress progress;
        progress.error = error;
        if (!error) progress = step_(*stream_);
        if (progress.want != Want::nothing) {
            TcpSocket& socket = stream_->socket_;
            socket.async_wait(
                progress.want == Want::read ? TcpSocket::wait_read : TcpSocket::wait_write,
                std::move(*this));
            return;
        }
        if constexpr (std::is_same_v<Step, HandshakeStep>)
            this->complete(is_continuation, progress.error);
        else
            this->complete(is_continuation, progress.error, progress.bytes);
    }

  private:
    Stream* stream_;
    Step step_;
};

struct Stream::StartRead {
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, Stream* stream, const Buffers& buffers) const {
        if (!stream->tls_) {
            stream->socket_.async_read_some(buffers, std::forward<Handler>(handler));
            return;
        }
        TlsOperation<ReadStep<Buffers>, std::decay_t<Handler>>(*stream, ReadStep<Buffers>{buffers},
                                                               std::forward<Handler>(handler));
    }
};

struct Stream::StartWrite {
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, Stream* stream, const Buffers& buffers) const {
        if (!stream->tls_) {
            stream->socket_.async_write_some(buffers, std::forward<Handler>(handler));
            return;
        }
        TlsOperation<WriteStep<Buffers>, std::decay_t<Handler>>(
            *stream, WriteStep<Buffers>{buffers}, std::forward<Handler>(handler));
    }
};

template <class Handler>
void Stream::async_handshake(Handler&& handler) {
    TlsOperation<HandshakeStep, std::decay_t<Handler>>(*this, HandshakeStep{},
                                                       std::forward<Handler>(handler));
}

template <class Buffers, class Token>
auto Stream::async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(StartRead{}, token,
                                                                            this, buffers);
}

template <class Buffers, class Token>
auto Stream::async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(StartWrite{}, token,
                                                                            this, buffers);
}

}  // namespace rekey::net
