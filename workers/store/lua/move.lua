-- Apply one move of a release: check, then write everything together, or nothing.
-- ARGV: offset, release, owner, fence, statuses it may come from (JSON list), schema version, term (ms),
--   fields (JSON: status, reason, step, state), history lines (JSON list of texts), notices (JSON list of
--   {receiver, text}), effects (JSON), due in ms ("" keep, "none" no more looks), let go (1|0)
-- Returns: "done", now (ms) | "lost" | "illegal", status | "newer", version | "stopped" | "blocked", why
--
-- Effects, each optional:
--   unless_stopped     refuse when somebody asked the release to stop
--   stop_heard         take the stop request off (the release cannot stop any more, or has)
--   enter              begin in the lane; blocked by another running one, a freeze, a pin, a hold
--   leave              free the lane; the next queued one is looked at
--   lock, unlock       the target's lock, by its key
--   switch             the point of no return: needs the target's lock (key), order, no freeze, pin, hold, bar
--   unless_locked      refuse while another release holds this target's lock
--   needs_parked       refuse unless this release still stands by
--   unpark             stand by no more (its workspace is about to be deleted)
--   sends              a switch call: target, text, keep (ms), most; kept until it was answered, or seen so often
--   came               target, text of a switch call that was answered or seen to arrive, and what stays of it
--   connections        text: what we now have on the lane's paths
--   drift              text: what somebody else put there since ("" nothing)
--   live               become the live release of the lane; the former one is parked
--   revive             release that is live again (a rollback to it)
--   dethrone           stop being the live release of the lane
--   hold, pin          text; hold or pin the lane
--   bar                commit that must not be released again by itself
--   watch, unwatch     text: begin to probe production (blocked by a freeze, a pin, a hold); stop probing
--   failed             stand in the failed queue
--   ledger             workspaces: id to text, or to false when gone
--   took               step and ms: how long the step took, for the watchdog
--   operation_done     the person's request on the live release is settled
local id, owner, fence = ARGV[2], ARGV[3], ARGV[4]
local release = key_release(id)
local held = redis.call("HMGET", release, "owner", "fence", "lease_until", "status", "lane", "project", "order",
  "stop", "commit", "again")
if held[1] ~= owner or held[2] ~= fence or tonumber(held[3] or "0") <= now then return {"lost"} end

local status, lane, project, order = held[4], held[5], held[6], tonumber(held[7])
local allowed = false
for _, from in ipairs(cjson.decode(ARGV[5])) do allowed = allowed or from == status end
if not allowed then return {"illegal", status} end
local version = tonumber(redis.call("GET", key_schema()) or "0")
if version > tonumber(ARGV[6]) then return {"newer", whole(version)} end

local fields, effects = cjson.decode(ARGV[8]), cjson.decode(ARGV[11])
if effects.unless_stopped and held[8] then return {"stopped"} end

-- Checks first: nothing may be written before all of them held.
if effects.enter then
  local running = redis.call("HGET", key_lane(lane), "running")
  if running and running ~= id then
    return {"blocked", "release #" .. (redis.call("HGET", key_release(running), "number") or "?") .. " is running"}
  end
  local why = standstill(project, lane)
  if why then return {"blocked", why} end
  if not effects.by_person and redis.call("SISMEMBER", key_barred(lane), held[9]) == 1 then
    return {"blocked", "this commit was taken back after it failed in production"}
  end
end
local target = effects.lock or effects.switch
if target then
  local holder = redis.call("HGET", key_target(target), "release")
  if holder and holder ~= id then
    return {"blocked", "the target is held by release " .. holder}
  end
  if effects.switch and not holder then return {"blocked", "the target's lock was not taken"} end
end
if effects.unless_locked then
  local holder = redis.call("HGET", key_target(effects.unless_locked), "release")
  if holder and holder ~= id then return {"blocked", "the target is held by release " .. holder} end
end
if effects.needs_parked and not redis.call("ZSCORE", key_parked(lane), effects.needs_parked) then
  return {"blocked", "release " .. effects.needs_parked .. " is not parked any more"}
end
if effects.watch or (effects.switch and not effects.by_operation) then
  local why = standstill(project, lane)
  if why then return {"blocked", why} end
end
if effects.switch and not effects.by_operation then
  if not effects.by_person and tonumber(redis.call("HGET", key_lane(lane), "live_order") or "0") > order then
    return {"blocked", "a newer release of the lane is live"}
  end
end

if effects.unpark and redis.call("HEXISTS", release, "handed_over") == 1 then
  return {"blocked", "its workspace was taken over by its retry"}
end

-- The release itself.
if fields.status ~= status then
  set_status(id, status, fields.status, fields.reason)
  if effects.finish then redis.call("HSET", release, "finished_at", whole(now)) end
end
redis.call("HSET", release, "reason", fields.reason, "step", fields.step or "", "state", fields.state,
  "lease_until", whole(now + tonumber(ARGV[7])), "expiries", "0", "schema", ARGV[6])
for _, line in ipairs(cjson.decode(ARGV[9])) do emit(id, line) end

-- The lane and the target.
if effects.stop_heard then redis.call("HDEL", release, "stop") end
if effects.enter then
  redis.call("ZREM", key_queued(lane), id)
  redis.call("HSET", key_lane(lane), "running", id)
end
if effects.lock then
  if redis.call("HGET", key_target(effects.lock), "release") ~= id then
    redis.call("HSET", key_target(effects.lock), "release", id, "since", whole(now))
  end
  redis.call("HSET", release, "target", effects.lock)
  redis.call("HSET", key_lane(lane), "target", effects.lock)
end
if effects.switch and not effects.by_operation then redis.call("HSET", release, "past_switch", "1") end
if effects.came then
  local sent = key_sent(effects.came[1])
  local at = redis.call("ZSCORE", sent, effects.came[2])
  redis.call("ZREM", sent, effects.came[2])
  if at and effects.came[3] ~= "" then redis.call("ZADD", sent, at, effects.came[3]) end
end
if effects.sends then
  local sent = key_sent(effects.sends.target)
  redis.call("ZADD", sent, whole(now), effects.sends.text)
  redis.call("ZREMRANGEBYSCORE", sent, "-inf", whole(now - effects.sends.keep))
  redis.call("ZREMRANGEBYRANK", sent, 0, -1 - effects.sends.most)
  redis.call("PEXPIRE", sent, whole(effects.sends.keep))
end
if effects.connections then
  redis.call("HSET", key_lane(lane), "connections", effects.connections)
  redis.call("HDEL", key_lane(lane), "drift")
elseif effects.drift then
  if effects.drift == "" then redis.call("HDEL", key_lane(lane), "drift")
  else redis.call("HSET", key_lane(lane), "drift", effects.drift) end
end
if effects.live then
  local former = redis.call("HGET", key_lane(lane), "live")
  if former and former ~= id then
    set_status(former, "live", "replaced", "release #" .. effects.live .. " took over")
    local asked = redis.call("HGET", key_release(former), "operation")
    if asked then
      redis.call("HDEL", key_release(former), "operation")
      local what = cjson.decode(asked)["kind"] == "repair" and "the late switch was not put right" or "the rollback was not done"
      emit(former, cjson.encode({type = "note",
        text = what .. ": release #" .. effects.live .. " took over meanwhile"}))
    end
    redis.call("ZADD", key_parked(lane), whole(now), former)
    for _, standing in ipairs(redis.call("ZRANGE", key_parked(lane), 0, -1)) do nudge(standing) end
  end
  redis.call("HSET", key_lane(lane), "live", id, "live_order", whole(order), "gave_way", "0")
  for _, old in ipairs(redis.call("ZRANGEBYSCORE", key_lane_failed(lane), "-inf", whole(order))) do
    redis.call("ZREM", key_failed(), old)
    redis.call("ZREM", key_lane_failed(lane), old)
  end
end
if effects.dethrone then redis.call("HDEL", key_lane(lane), "live") end
if effects.revive then
  local again = effects.revive
  set_status(again, redis.call("HGET", key_release(again), "status"), "live", fields.reason)
  redis.call("ZREM", key_parked(lane), again)
  redis.call("HSET", key_lane(lane), "live", again)
  redis.call("HDEL", key_release(again), "operation", "retire_asked")
  nudge(again)
end
if effects.hold then redis.call("HSET", key_lane(lane), "hold", effects.hold) end
if effects.pin then redis.call("HSET", key_lane(lane), "pin", effects.pin) end
if effects.bar then redis.call("SADD", key_barred(lane), effects.bar) end
if effects.unlock and redis.call("HGET", key_target(effects.unlock), "release") == id then
  redis.call("DEL", key_target(effects.unlock))
end
if effects.leave then
  if redis.call("HGET", key_lane(lane), "running") == id then redis.call("HDEL", key_lane(lane), "running") end
  redis.call("ZREM", key_queued(lane), id)
  local waiting = redis.call("ZREVRANGE", key_queued(lane), 0, 0)[1]
  if waiting then nudge(waiting) end
end

-- Around it: probes, failed queue, ledger, notices.
if effects.watch then
  redis.call("DEL", key_probe(id))
  redis.call("HSET", key_probe(id), "spec", effects.watch)
  redis.call("ZADD", key_probes(), 0, id)
end
if effects.unwatch then redis.call("ZREM", key_probes(), id) end
if effects.failed then
  redis.call("ZADD", key_failed(), whole(now), id)
  redis.call("ZADD", key_lane_failed(lane), whole(order), id)
end
if effects.ledger then
  for workspace, text in pairs(effects.ledger) do
    if text then redis.call("HSET", key_ledger(), workspace, text) else redis.call("HDEL", key_ledger(), workspace) end
  end
end
if effects.took then
  local usual = key_usual(project, effects.took[1])
  redis.call("LPUSH", usual, whole(effects.took[2]))
  redis.call("LTRIM", usual, 0, 19)
end
if effects.operation_done then redis.call("HDEL", release, "operation") end
if effects.unpark then
  redis.call("ZREM", key_parked(lane), id)
  redis.call("HSET", release, "retiring", "1")
end
for _, notice in ipairs(cjson.decode(ARGV[10])) do
  redis.call("RPUSH", key_outbox(notice[1]), notice[2])
  redis.call("ZADD", key_outbox_due(), "NX", whole(now), notice[1])
end

-- When it is looked at next.
local due = ARGV[12]
if ARGV[13] == "1" then
  redis.call("HDEL", release, "owner", "lease_until", "again")
  if held[10] or (held[8] and not effects.stop_heard) then due = "0" end
end
if due == "none" then
  redis.call("ZREM", key_due(), id)
elseif due == "" then
  redis.call("ZADD", key_due(), whole(now + tonumber(ARGV[7])), id)
elseif ARGV[13] == "1" then
  redis.call("ZADD", key_due(), whole(now + tonumber(due)), id)
else
  redis.call("ZADD", key_due(), whole(now + tonumber(ARGV[7])), id)
end
return {"done", whole(now)}
