// ParkedKeys: which keys of a listener are parked, so far as memory goes: so that an event of any other key costs
// no look into control.db.
#pragma once

#include "ledger.hpp"

#include <string>
#include <string_view>
#include <unordered_set>

namespace stele {

class ParkedKeys {
public:
    /// Of so many keys, which ones are parked is known by heart; of more, each is looked up.
    static constexpr std::size_t most = 100'000;

    explicit ParkedKeys(Ledger& ledger) : ledger_(ledger) {}

    void reload() {
        keys_.clear();
        for (auto& key : ledger_.parked_keys(most + 1)) keys_.insert(std::move(key));
        is_too_many_ = keys_.size() > most;
        if (is_too_many_) keys_.clear();
    }
    /// Parked from now on: its rows are written with the next settlement, or stand there already.
    void add(const std::string& key) {
        if (is_too_many_) {
            unwritten_.insert(key);
        } else if (keys_.insert(key).second && keys_.size() > most) {
            is_too_many_ = true;
            unwritten_ = std::move(keys_);  // all of them, until the next settlement
            keys_.clear();
        }
    }
    /// What was add()ed stands in control.db.
    void written() { unwritten_.clear(); }
    void remove(const std::string& key) { keys_.erase(key); }

    [[nodiscard]] bool has(const std::string& key) {
        if (!is_too_many_) return !keys_.empty() && keys_.contains(key);
        return unwritten_.contains(key) || ledger_.is_parked(key);
    }
    /// Whether it pays to reload(): more keys were parked than are known by heart.
    [[nodiscard]] bool is_too_many() const noexcept { return is_too_many_; }

private:
    Ledger& ledger_;
    std::unordered_set<std::string> keys_;
    std::unordered_set<std::string> unwritten_;
    bool is_too_many_ = false;
};

}  // namespace stele
