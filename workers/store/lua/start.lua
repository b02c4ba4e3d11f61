-- Make a release that a person asked for: a start, or a retry of one that ended badly.
-- ARGV: offset, what enqueue() takes (JSON), release to retry (or ""), force (1|0), Idempotency-Key digest (or ""),
--   how long the key is remembered (ms)
-- Returns: "made", id | "known", id (the same key, or an unfinished retry) | "refused", reason
local c, retried, force, idempotency = cjson.decode(ARGV[2]), ARGV[3], ARGV[4] == "1", ARGV[5]

if idempotency ~= "" then
  local known = redis.call("GET", key_idempotency(idempotency))
  if known then return {"known", known} end
end

if retried ~= "" then
  local old = redis.call("HMGET", key_release(retried), "status", "retried_by", "order", "number")
  if old[2] then
    local retry = redis.call("HGET", key_release(old[2]), "status")
    if retry == "queued" or retry == "running" or retry == "waiting" then return {"known", old[2]} end
  end
  if not force then
    local live_order = tonumber(redis.call("HGET", key_lane(c.lane), "live_order") or "0")
    if live_order > tonumber(old[3]) then
      return {"refused", "a newer release of the lane is live"}
    end
    local newest = redis.call("ZREVRANGE", key_queued(c.lane), 0, 0)[1] or redis.call("HGET", key_lane(c.lane), "running")
    if newest and tonumber(redis.call("HGET", key_release(newest), "order") or "0") > tonumber(old[3]) then
      return {"refused", "a newer release of the lane is on its way"}
    end
  end
end

-- A workspace that the failed release still keeps is handed over, unless its deletion has begun.
if c.takeover and redis.call("HGET", key_release(retried), "retiring") ~= "1" then
  c.state = c.takeover
  redis.call("HSET", key_release(retried), "handed_over", c.release)
  redis.call("HSET", key_release(c.release), "took_over", retried)
  nudge(retried)
end
enqueue(c)
if retried ~= "" then
  redis.call("HSET", key_release(retried), "retried_by", c.release)
  redis.call("ZREM", key_failed(), retried)
  redis.call("ZREM", key_lane_failed(c.lane), retried)
end
if c.sweep then
  for _, other in ipairs(redis.call("ZRANGE", key_lane_failed(c.lane), 0, -1)) do
    if redis.call("HGET", key_release(other), "status") == "failed" then
      set_status(other, "failed", "superseded", "a newer failed release of the lane was retried")
    end
    redis.call("ZREM", key_failed(), other)
    redis.call("ZREM", key_lane_failed(c.lane), other)
  end
end
if idempotency ~= "" then redis.call("SET", key_idempotency(idempotency), c.release, "PX", ARGV[6]) end
return {"made", c.release}
