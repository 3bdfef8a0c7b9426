// Stream: appends an event to a stream of the same store for each event, exactly once.
//
//   [[listener]]
//   name = "record_audit_log"
//   types = ["UserInvited", "UserRemoved"]
//   [listener.sink]
//   type = "stream"
//   stream = "AuditLog/{{ $tenant }}"
//   event = "AuditEntryRecorded"
//   data = "json_object('what', $type, 'who', $metadata(actor), 'user', $data(user))"
//
// What is appended follows from the event alone and is committed together with the listener's position. Its
// metadata has `causation_id`, the id of the event, the event's `correlation_id` where it has one, and `listener`,
// its name; `occurred_at` is the event's. An event that stands in the target stream itself is passed over, so that
// a listener that selects everything does not feed itself.
//
// An event for which the SQL gives no value, no name of a stream or no JSON is a dead letter.
//
// Causes: "template".
#pragma once

#include <stele/schema/sql/text.hpp>

#include <vector>

namespace stele::sinks {

struct Stream {
    sql::SqlText stream;     ///< a template (`{{ SQL over the event }}`): `[tenant:]Type/id`; TOML stream
    sql::SqlText type{};     ///< a template; empty: the type of the event. TOML event
    sql::SqlText data{};     ///< SQL over the event that gives JSON text; empty: the data of the event. TOML data
    int schema_version = 0;  ///< 0: that of the event where `type` is empty, else 1. TOML schema_version
    std::vector<sql::SqlText> tags{};  ///< templates; one that gives nothing is left out. TOML tags (an array)
};

}  // namespace stele::sinks
