#pragma once

#include "net/frame_scan.hpp"
#include "net/stream.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_cat.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <functional>
#include <string>

namespace rekey::net {

// Inside net/ only: what lies between Beast's WebSocket and the Stream. It lets fragments be
// counted, keeps several messages together until they leave in one gathered write, and hands Beast
// the bytes that were read behind the upgrade request.
//
// As for Stream: one read and one write at a time, kept alive by the handlers.
class Wire {
  public:
    using executor_type = Executor;
    // Called once, from inside a read, when a message has too many fragments.
    using OnFragments = std::function<void()>;

    Wire(Stream stream, FrameScan::From from) : stream_(std::move(stream)), scan_(from) {}

    [[nodiscard]] executor_type get_executor() noexcept { return stream_.get_executor(); }
    [[nodiscard]] Stream& stream() { return stream_; }
    void on_fragments(OnFragments callback) { on_fragments_ = std::move(callback); }
    void prefetch(std::string bytes) { prefetched_ = std::move(bytes); }

    // While corked, messages are kept and their writes complete; the first write after that, or a
    // control frame, takes them along.
    void cork(bool corked) { corked_ = corked; }
    [[nodiscard]] std::size_t corked_bytes() const { return kept_.size(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token);
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token);

  private:
    template <class Handler>
    class ReadOperation;
    template <class Buffers, class Handler>
    class WriteOperation;
    struct StartRead;
    struct StartWrite;

    void scan(std::span<const std::uint8_t> bytes) {
        if (scan_.feed(bytes) || !on_fragments_) return;
        const OnFragments tell = std::move(on_fragments_);
        on_fragments_ = nullptr;
        tell();
    }

    std::size_t take_prefetched(boost::asio::mutable_buffer buffer) {
        const std::size_t bytes =
            boost::asio::buffer_copy(buffer, boost::asio::buffer(prefetched_));
        prefetched_.erase(0, bytes);
        if (prefetched_.empty()) prefetched_ = {};
        return bytes;
    }

    // Whether a frame begins here that Beast writes on its own behalf: a close frame that was kept
    // would never leave.
    template <class Buffers>
    static bool is_control(const Buffers& buffers) {
        for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
            if (buffer.size() == 0) continue;
            constexpr unsigned control = 0x08;  // RFC 6455, section 5.2
            return (*static_cast<const std::uint8_t*>(buffer.data()) & control) != 0;
        }
        return false;
    }

    template <class Buffers>
    std::size_t keep(const Buffers& buffers) {
        std::size_t bytes = 0;
        for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
            kept_.append(static_cast<const char*>(buffer.data()), buffer.size());
            bytes += buffer.size();
        }
        return bytes;
    }

    Stream stream_;
    FrameScan scan_;
    bool corked_ = false;
    OnFragments on_fragments_;
    std::string kept_;
    std::string prefetched_;
};

// Looks at what arrived on its way to Beast.
template <class Handler>
class Wire::ReadOperation : public boost::beast::async_base<Handler, Executor> {
  public:
    template <class H>
    ReadOperation(Wire& wire, boost::asio::mutable_buffer buffer, H&& handler)
        : boost::beast::async_base<Handler, Executor>(std::forward<H>(handler),
                                                      wire.get_executor()),
          wire_(&wire),
          data_(static_cast<const std::uint8_t*>(buffer.data())) {
        if (!wire.prefetched_.empty()) {
            const std::size_t bytes = wire.take_prefetched(buffer);
            wire.scan({data_, bytes});
            this->complete(false, ErrorCode{}, bytes);
            return;
        }
        wire.stream_.async_read_some(buffer, std::move(*this));
    }

    void operator()(ErrorCode error, std::size_t bytes) {
        if (bytes != 0) wire_->scan({data_, bytes});
        this->complete_now(error, bytes);
    }

  private:
    Wire* wire_;
    const std::uint8_t* data_;
};

// Only for writes that have something kept before them.
template <class Buffers, class Handler>
class Wire::WriteOperation : public boost::beast::async_base<Handler, Executor> {
  public:
    template <class H>
    WriteOperation(Wire& wire, const Buffers& buffers, H&& handler)
        : boost::beast::async_base<Handler, Executor>(std::forward<H>(handler),
                                                      wire.get_executor()),
          wire_(&wire),
          buffers_(buffers) {
        write();
    }

    void operator()(ErrorCode error, std::size_t bytes) {
        if (error) return this->complete_now(error, std::size_t{0});
        std::string& kept = wire_->kept_;
        const std::size_t of_kept = std::min(bytes, kept.size());
        kept.erase(0, of_kept);
        if (!kept.empty() || bytes == of_kept) return write();
        kept = {};
        this->complete_now(ErrorCode{}, bytes - of_kept);
    }

  private:
    void write() {
        const auto all = boost::beast::buffers_cat(
            boost::asio::const_buffer(boost::asio::buffer(wire_->kept_)), buffers_);
        wire_->stream_.async_write_some(all, std::move(*this));
    }

    Wire* wire_;
    Buffers buffers_;
};

struct Wire::StartRead {
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, Wire* wire, const Buffers& buffers) const {
        // Beast's circular buffer has two parts when it is half used; one is enough, and one costs
        // the kernel less.
        boost::asio::mutable_buffer first;
        for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
            first = buffer;
            if (first.size() != 0) break;
        }
        ReadOperation<std::decay_t<Handler>>(*wire, first, std::forward<Handler>(handler));
    }
};

struct Wire::StartWrite {
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, Wire* wire, const Buffers& buffers) const {
        if (wire->corked_ && !is_control(buffers)) {
            const std::size_t bytes = wire->keep(buffers);
            boost::asio::post(wire->get_executor(),
                              boost::beast::bind_front_handler(std::forward<Handler>(handler),
                                                               ErrorCode{}, bytes));
        } else if (wire->kept_.empty()) {
            wire->stream_.async_write_some(buffers, std::forward<Handler>(handler));
        } else {
            WriteOperation<Buffers, std::decay_t<Handler>>(*wire, buffers,
                                                           std::forward<Handler>(handler));
        }
    }
};

template <class Buffers, class Token>
auto Wire::async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(StartRead{}, token,
                                                                            this, buffers);
}

template <class Buffers, class Token>
auto Wire::async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(StartWrite{}, token,
                                                                            this, buffers);
}

// Found by Beast. Its own teardown reads until the peer closes, without a time limit; here the end
// is only announced, and the connection lingers under its own deadline.
template <class Handler>
void async_teardown(boost::beast::role_type, Wire& wire, Handler&& handler) {
    wire.stream().shutdown_send();
    boost::asio::post(wire.get_executor(), boost::beast::bind_front_handler(
                                               std::forward<Handler>(handler), ErrorCode{}));
}
inline void teardown(boost::beast::role_type, Wire& wire, ErrorCode& error) {
    wire.stream().shutdown_send();
    error = {};
}
inline void beast_close_socket(Wire& wire) { wire.stream().close(); }

}  // namespace rekey::net
