#include <stele/projections/listeners/cpp_listener.hpp>

namespace stele {
namespace detail {

Listener::Head head_of_listener(std::string name, Query query, const ListenerOptions& options) {
    // In messages, the SQL of a listener in C++ stands in a file that is named after it.
    const auto sql = [&](const std::string& text, const char* what) {
        return sql::SqlText{text, "listener " + name + ", " + what, 1};
    };
    Listener::Head head;
    head.where = sql(options.where, "where");
    head.mode = options.mode;
    head.order = {options.order, sql(options.order_by, "order_by")};
    if (!options.order_by.empty()) head.order.kind = OrderBy::Kind::expression;
    head.retry = options.retry;
    head.after_last = options.after_last;
    head.stop_after_dead = options.stop_after_dead;
    head.breaker = options.breaker;
    if (!options.deduplicate_by.empty()) {
        head.deduplication =
            Deduplication{sql(options.deduplicate_by, "deduplicate_by"), options.deduplicate_within};
    }
    head.start = options.start;
    head.queue = options.queue;
    head.priority = options.priority;
    head.query = std::move(query);
    head.name = std::move(name);
    return head;
}

}  // namespace detail

namespace {

template <class Function>
class FunctionListener final : public Listener {
public:
    FunctionListener(Head head, Function function) : Listener(std::move(head)), function_(std::move(function)) {}

    [[nodiscard]] std::unique_ptr<ListenerHandler> handler() const override {
        return std::make_unique<Handler>(function_);
    }

private:
    class Handler final : public ListenerHandler {
    public:
        explicit Handler(const Function& function) : function_(function) {}

        void deliver(const Event& event, const Delivery& delivery) override {
            if constexpr (std::is_invocable_v<Function&, const Event&, const Delivery&>) function_(event, delivery);
        }
        void compose(const Event& event, const Delivery& delivery, Append& append) override {
            if constexpr (std::is_invocable_v<Function&, const Event&, const Delivery&, Append&>)
                function_(event, delivery, append);
        }

    private:
        Function function_;
    };

    Function function_;
};

template <class Function>
std::shared_ptr<const Listener> function_listener(std::string name, Query query, Function function,
                                                  const ListenerOptions& options, bool appends) {
    auto head = detail::head_of_listener(std::move(name), std::move(query), options);
    if (!function) throw InvalidInput{"listener \"" + head.name + "\"", "a function", "an empty one"};
    head.appends = appends;
    return std::make_shared<FunctionListener<Function>>(std::move(head), std::move(function));
}

}  // namespace

std::shared_ptr<const Listener> listener(std::string name, Query query,
                                         std::function<void(const Event&, const Delivery&)> deliver,
                                         const ListenerOptions& options) {
    return function_listener(std::move(name), std::move(query), std::move(deliver), options, false);
}

std::shared_ptr<const Listener> appending_listener(
    std::string name, Query query, std::function<void(const Event&, const Delivery&, Append&)> compose,
    const ListenerOptions& options) {
    return function_listener(std::move(name), std::move(query), std::move(compose), options, true);
}

}  // namespace stele
