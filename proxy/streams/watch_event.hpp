#pragma once
// The words of an event stream (text/event-stream): every event a watcher may see, as its bytes.
// Owns: names of events and members. Refuses to own: who sees which, and when.
// Thread rule: pure functions that append to the caller's string.
// Source: WHATWG HTML section 9.2, "Server-sent events". An event that carries an id and no data
// is not shown to the program, yet its id counts when the client comes back.

#include "storage/model/lock_notice.hpp"

#include <string>
#include <string_view>

namespace fencegate::proxy {

void append_notice(const storage::LockNotice& notice, std::string_view id, std::string& out);

// The first bytes of every stream. `id` is empty if a reset follows, which must not be lost.
void append_opening(std::string_view id, std::string& out);
// Events were missed; `reason` says why, `id` is where the stream goes on.
void append_reset(std::string_view reason, std::string_view id, std::string& out);
// The state of what is watched. REQUIRES: `document` is JSON.
void append_state(std::string_view document, std::string_view id, std::string& out);
// Nothing happened, but the client is up to date until `id`.
void append_heartbeat(std::string_view id, std::string& out);

// The last words.
void append_overrun(std::string& out);
void append_draining(std::string& out);

}  // namespace fencegate::proxy
