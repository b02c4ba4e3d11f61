-- Take a freeze, a pin or a hold away and look at what waits behind it.
-- ARGV: offset, "freeze" | "pin" | "hold", project
-- Returns: how many there were
local removed = 0
if ARGV[2] == "freeze" then removed = redis.call("DEL", key_freeze(ARGV[3])) end
for _, lane in ipairs(redis.call("SMEMBERS", key_lanes())) do
  local waiting = redis.call("ZREVRANGE", key_queued(lane), 0, 0)[1]
  local running = redis.call("HGET", key_lane(lane), "running")
  if redis.call("HGET", key_lane(lane), "project") == ARGV[3] then
    if ARGV[2] ~= "freeze" then removed = removed + redis.call("HDEL", key_lane(lane), ARGV[2]) end
    if waiting then nudge(waiting) end
    if running then nudge(running) end
  end
end
return removed
