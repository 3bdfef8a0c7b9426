#include <stele/replay/aggregate.hpp>

#include <string>

namespace stele {
namespace {

using nlohmann::json;

// Numbers that JSON allows and a double cannot hold, such as 1e999, are kept by the log but have no place in a
// state.
json value_of(const Event& event) {
    try {
        return event.data.value();
    } catch (const InvalidInput& error) {
        throw ReplayError{"merge patch", event,
                          std::string{"data: "} + error.what() + "; an aggregate file for " +
                              std::string{event.stream.aggregate_type()} + " can leave that field out"};
    }
}

class MergePatchFolding final : public Folding {
public:
    void resume(const JsonText& state) override { state_ = state.value(); }

    void apply(const Event& event) override {
        const auto data = value_of(event);
        if (data.is_object())
            state_.merge_patch(data);
        else
            state_["$data"] = data;
        state_["$type"] = event.type;
    }

    [[nodiscard]] JsonText state() const override { return state_; }

private:
    json state_ = json::object();
};

class MergePatch final : public Aggregate {
public:
    [[nodiscard]] std::string_view aggregate_type() const noexcept override { return {}; }
    [[nodiscard]] std::unique_ptr<Folding> begin() const override { return std::make_unique<MergePatchFolding>(); }
};

}  // namespace

const Aggregate& merge_patch() {
    static const MergePatch instance;
    return instance;
}

}  // namespace stele
