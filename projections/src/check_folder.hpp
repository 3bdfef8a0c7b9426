// CheckFolder: where the checks of one projection fold the log, one check at a time.
//
//   NAME.check/copy.db   the fold that sampling checks go on with
//   NAME.check/fresh.db  a fold under way; what a killed check left is removed by the next
#pragma once

#include "models_folder.hpp"

#include <filesystem>

namespace stele {

class CheckFolder {
public:
    /// Makes the folder where there is none. Throws ProjectionError "projection_busy" where another check of the
    /// projection is under way.
    explicit CheckFolder(const ModelsFolder& models);
    /// What is unfinished goes, and the folder too where nothing else is in it.
    ~CheckFolder();
    CheckFolder(const CheckFolder&) = delete;
    CheckFolder& operator=(const CheckFolder&) = delete;

    [[nodiscard]] std::filesystem::path copy() const { return folder_ / "copy.db"; }
    [[nodiscard]] std::filesystem::path fresh() const { return folder_ / "fresh.db"; }

    void discard_copy() const noexcept;

private:
    void discard(const std::filesystem::path& file) const noexcept;

    std::filesystem::path folder_;
    int descriptor_ = -1;
};

}  // namespace stele
