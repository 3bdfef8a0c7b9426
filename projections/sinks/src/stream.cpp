#include <stele/sinks/stream.hpp>

#include "event_template.hpp"
#include "settings.hpp"
#include "text.hpp"

#include <algorithm>

namespace stele::sinks {
namespace {

class StreamHandler final : public ListenerHandler {
public:
    explicit StreamHandler(const Stream& settings) : schema_version_(settings.schema_version) {
        stream_ = texts_.add_template(settings.stream);
        if (!settings.type.text.empty()) type_ = texts_.add_template(settings.type);
        if (!trimmed(settings.data.text).empty()) data_ = texts_.add_expression(settings.data);
        for (const auto& tag : settings.tags) tags_.push_back(texts_.add_template(tag));
    }

    void deliver(const Event&, const Delivery& delivery) override {
        throw Permanent{"listener \"" + delivery.listener() + "\" appends: it is asked what, and not to deliver"};
    }

    void compose(const Event& event, const Delivery&, Append& append) override {
        try {
            texts_.take(event);
            const auto stream = StreamId::parse(texts_.text(stream_));
            if (stream == event.stream) return;
            auto made = made_of(event);
            if (made.type.empty()) throw InvalidInput{"event", "the type of an event", "nothing"};
            append.to(stream, expect::any, {std::move(made)});
        } catch (const InvalidInput& error) {
            throw Permanent{"template",
                            "position " + std::to_string(event.position.value()) + ": " + error.what(),
                            {{"position", event.position.value()}, {"field", error.field()}}};
        }
    }

private:
    // Nothing in it depends on the time or on chance: what is composed again for the same event is the same.
    [[nodiscard]] NewEvent made_of(const Event& event) {
        NewEvent made;
        made.type = type_ ? texts_.text(*type_) : event.type;
        made.data = data_of(event);
        made.occurred_at = event.occurred_at;
        made.schema_version = schema_version_ > 0 ? schema_version_ : type_ ? 1 : event.schema_version;
        made.caused_by(event.id.to_string());
        const auto metadata = event.metadata.value();
        if (const auto found = metadata.find("correlation_id"); found != metadata.end() && !found->is_null())
            made.with_metadata("correlation_id", *found);
        for (const auto which : tags_) {
            auto tag = texts_.text(which);
            const bool is_new = std::find(made.tags.begin(), made.tags.end(), tag) == made.tags.end();
            if (!tag.empty() && is_new) made.tags.push_back(std::move(tag));
        }
        return made;
    }

    [[nodiscard]] JsonText data_of(const Event& event) {
        if (!data_) return event.data;
        auto text = texts_.value(*data_);
        if (!text) throw InvalidInput{"data", "SQL that gives JSON", "NULL"};
        return JsonText::parse(std::move(*text));
    }

    const int schema_version_;
    EventTexts texts_;
    std::size_t stream_ = 0;
    std::optional<std::size_t> type_;
    std::optional<std::size_t> data_;
    std::vector<std::size_t> tags_;
};

}  // namespace

std::unique_ptr<Workshop> workshop_of(const Stream& settings, const Rules& rules) {
    rules.expect(!trimmed(settings.stream.text).empty(), "stream", "a stream, or a template of one", "none");
    rules.expect(settings.schema_version >= 0, "schema_version", "1 or more",
                 std::to_string(settings.schema_version));
    (void)StreamHandler{settings};  // compiles its SQL
    return workshop_for<StreamHandler>(settings);
}

}  // namespace stele::sinks
