#include "tests/fuzz/input.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

// Runs a fuzz target without libFuzzer, which only clang brings: each file of the corpus as it is,
// and many times broken at places that a fixed seed draws. An input that aborts or crashes the
// target is kept in a file.
//
// usage: fuzz_<target> CORPUS_DIRECTORY TIMES
namespace {

using Bytes = std::vector<std::uint8_t>;
using Draw = std::mt19937_64;

std::size_t below(Draw& draw, std::size_t bound) { return bound == 0 ? 0 : draw() % bound; }

void break_once(Bytes& input, const std::vector<Bytes>& corpus, Draw& draw) {
    const std::size_t place = below(draw, input.size());
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(place);
    switch (below(draw, 6)) {
        case 0:  // a bit
            if (!input.empty()) *at = static_cast<std::uint8_t>(*at ^ (1U << below(draw, 8)));
            break;
        case 1:  // a byte
            if (!input.empty()) *at = static_cast<std::uint8_t>(draw());
            break;
        case 2:  // torn off
            input.resize(place);
            break;
        case 3:  // one more byte
            input.insert(at, static_cast<std::uint8_t>(draw()));
            break;
        case 4: {  // a stretch twice
            const std::size_t length = below(draw, input.size() - place + 1);
            const Bytes copy(at, at + static_cast<std::ptrdiff_t>(length));
            input.insert(at, copy.begin(), copy.end());
            break;
        }
        default: {  // the end of another one
            const Bytes& other = corpus[below(draw, corpus.size())];
            const auto from = static_cast<std::ptrdiff_t>(below(draw, other.size()));
            input.resize(place);
            input.insert(input.end(), other.begin() + from, other.end());
        }
    }
}

std::vector<Bytes> read_corpus(const char* directory) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<Bytes> corpus;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

// What a crash leaves: the input that was under test. Signal handlers reach it by these alone.
const Bytes* under_test = nullptr;
int finding = -1;

void keep_finding(int signal) {
    if (under_test != nullptr && ::write(finding, under_test->data(), under_test->size()) < 0)
        ::_exit(2);
    ::_exit(128 + signal);
}

void run(const Bytes& input) {
    under_test = &input;
    LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY TIMES\n", arguments[0]);
        return 64;
    }
    const auto corpus = read_corpus(arguments[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "%s holds no input\n", arguments[1]);
        return 1;
    }
    const std::string place = std::string(arguments[0]) + ".finding";
    finding = ::open(place.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        std::signal(signal, keep_finding);
    std::printf("an input that crashes is kept in %s\n", place.c_str());
    std::fflush(stdout);
    for (const Bytes& input : corpus) run(input);
    Draw draw(20260501);
    const unsigned long times = std::stoul(arguments[2]);
    for (unsigned long time = 0; time < times; ++time) {
        Bytes input = corpus[below(draw, corpus.size())];
        for (std::size_t breaks = 1 + below(draw, 4); breaks > 0; --breaks)
            break_once(input, corpus, draw);
        run(input);
    }
    std::printf("%zu inputs and %lu broken ones\n", corpus.size(), times);
    return 0;
}
