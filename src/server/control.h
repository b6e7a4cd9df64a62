#pragma once

// What an operator asks of a running broker, over MQTT itself: a request is a JSON object published to
// $CONTROL/chappe/v1/COMMAND with a Response Topic, the answer a JSON object there. Only connections by the control
// socket may use $CONTROL (see access::Permissions), so whoever may open that file is the operator. docs/operating.md
// has the commands.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "broker/ports.h"
#include "net/event_loop.h"
#include "server/ban_commands.h"
#include "server/refusal_log.h"
#include "server/shard_thread.h"

namespace chappe::server {

inline constexpr std::string_view control_prefix = "$CONTROL/chappe/v1/";

// Gets requests on the shards' threads and does them on the main thread's loop, asking each shard on its own.
class Control final : public broker::LocalSubscriber {
public:
    using Publish = std::function<void(const broker::MessagePtr&)>;

    // `shards` are complete before the first request comes. All must outlive the loop's last round.
    Control(net::EventLoop& loop, const std::vector<std::unique_ptr<ShardThread>>& shards, const RefusalLog& refusals,
            BanDesk& bans, Publish publish);

    void deliver(const broker::MessagePtr& message) override;

private:
    struct Reply;
    using Json = nlohmann::json;

    void perform(const broker::MessagePtr& message);
    void list_drops(const Json& request, const Reply& reply);
    void list_refusals(const Json& request, const Reply& reply);
    void redirect(const Json& request, const Reply& reply);
    void disconnect(const Json& request, const Reply& reply);
    void answer(const Reply& reply, std::string_view json);

    net::EventLoop& loop_;
    const std::vector<std::unique_ptr<ShardThread>>& shards_;
    const RefusalLog& refusals_;
    BanDesk& bans_;
    Publish publish_;
};

}  // namespace chappe::server
