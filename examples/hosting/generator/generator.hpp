// Generator: the events of a hosting platform that does not exist, as many as you like.
//
// Tenants order sites, which are provisioned or fail to be; sites are backed up every night or every third, and by
// hand; sites are deleted, and now and then a tenant leaves and takes all of them along. What is written keeps to
// what may happen to one aggregate:
//
//   Site     SiteCreated, then SiteProvisioned or up to three SiteProvisioningFailed, then perhaps SiteDeleted
//   Backup   BackupCreated of a site that is active, then BackupCompleted or BackupFailed
//
// Events come in the order in which they reach the log. Reports from servers are late at times, by minutes or by a
// day, so occurred_at goes back and forth between streams (within one it does not), and a backup may end when its
// site is gone. Site and backup ids count from 1 within each tenant: `acme:Site/site-1` and `zephyr:Site/site-1`
// are two.
//
// The same options give the same events, byte for byte, on every machine: nothing depends on the clock, on floating
// point, or on a library's random numbers. With the same seed and number of tenants, fewer events are the first of
// more.
#pragma once

#include <stele/schema/event_json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hosting {

struct GeneratorOptions {
    std::int64_t events = 1'000;
    std::uint64_t seed = 1;
    /// How many there are; 0: one for each 500 events, at least 3 and at most 2,000.
    std::int64_t tenants = 0;
};

class Platform;

class Generator {
public:
    /// Requires events >= 0 and tenants >= 0.
    explicit Generator(const GeneratorOptions& options);
    ~Generator();
    Generator(Generator&&) noexcept;
    Generator& operator=(Generator&&) noexcept;

    /// The next event and where it goes; empty after the last one. Cost: a few microseconds; memory is that of the
    /// sites that are there.
    [[nodiscard]] std::optional<stele::EventLine> next();

private:
    std::unique_ptr<Platform> platform_;
    std::int64_t left_;
};

/// All events at once.
[[nodiscard]] std::vector<stele::EventLine> generate(const GeneratorOptions& options);

/// The event as a line for `stele import`, without the line feed.
[[nodiscard]] std::string to_line(const stele::EventLine& line);

}  // namespace hosting
