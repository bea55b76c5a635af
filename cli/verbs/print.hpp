#pragma once

#include "cli/context.hpp"
#include "cli/json_print.hpp"
#include "cli/retry.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

// What the verbs share: showing an answer, reading pages.
namespace rekey::cli {

// The method's result with -o json, else what `text_of` makes of it: a Table, Record or string.
template <class TextOf>
void print(Context& context, const boost::json::value& json, TextOf text_of) {
    std::ostream& out = context.console.out.stream;
    if (context.format == Format::json) {
        out << pretty_json(json);
        return;
    }
    const auto text = text_of();
    if constexpr (requires { text.render(context.console.out); })
        out << text.render(context.console.out);
    else if constexpr (requires { render(text, context.console.out); })
        out << render(text, context.console.out);
    else
        out << text;
}

// A word of help that is no result: only for people who look at it.
inline void hint(Context& context, std::string_view text) {
    if (context.format == Format::table && context.console.err.is_terminal())
        context.console.err.stream << text << '\n';
}

inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// Pages of M put together until there are no more or `limit` rows are read; next_cursor is that of
// the last page. Waits where the rate limit is spent. `rows` is the member that holds them and
// `name` its JSON name.
template <protocol::Method M, class Row>
[[nodiscard]] Result<Answer<typename M::Result>> read_pages(Context& context,
                                                            typename M::Params params,
                                                            std::vector<Row> M::Result::* rows,
                                                            std::string_view name,
                                                            std::size_t limit) {
    const auto page_size = [&](std::size_t have) {
        return static_cast<std::int64_t>(std::min(limits::kPageRows, limit - have));
    };
    params.limit = page_size(0);
    REKEY_TRY_ASSIGN(first, call_patiently<M>(context, params));
    Answer<typename M::Result> all = std::move(first);
    while (all.value.next_cursor && (all.value.*rows).size() < limit) {
        params.cursor = all.value.next_cursor;
        params.limit = page_size((all.value.*rows).size());
        REKEY_TRY_ASSIGN(page, call_patiently<M>(context, params));
        for (Row& row : page.value.*rows) (all.value.*rows).push_back(std::move(row));
        auto& to = all.json.as_object()[name].as_array();
        for (boost::json::value& row : page.json.as_object()[name].as_array())
            to.push_back(std::move(row));
        all.value.next_cursor = page.value.next_cursor;
        if (all.value.next_cursor)
            all.json.as_object()["next_cursor"] = *all.value.next_cursor;
        else
            all.json.as_object().erase("next_cursor");
    }
    return all;
}

}  // namespace rekey::cli
