#include <stele/replay/aggregate.hpp>

namespace stele {
namespace {

using nlohmann::json;

class MergePatchFolding final : public Folding {
public:
    void resume(const JsonText& state) override { state_ = state.value(); }

    void apply(const Event& event) override {
        const auto data = event.data.value();
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
