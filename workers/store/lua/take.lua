-- Take the lease of a release. The fence is one more than the last and never behind the clock, so that a
-- fail-over to an older copy of the store repeats none.
-- ARGV: offset, release, owner, term (ms), only when called (1|0), schema version
-- Returns: false when there is nothing to do, or nothing may be done (the store is newer than the worker), else
--   fence, now (ms), leases in a row that ran out without a move, fields of the release, fields of its lane,
--   the lane's parked releases with their times (ms), newest first, who holds the target's lock (or ""), how
--   long (ms) the current step took the last times, and how late (ms) the look is
local id, owner, term = ARGV[2], ARGV[3], tonumber(ARGV[4])
-- A lease that its worker cannot use would only run out, and count against the release.
if tonumber(redis.call("GET", key_schema()) or "0") > tonumber(ARGV[6]) then return false end
local release = key_release(id)
local held = redis.call("HMGET", release, "owner", "lease_until", "fence", "called", "status", "lane", "target", "called_for", "step", "project")
if not held[5] then
  redis.call("ZREM", key_due(), id)
  return false
end
if ARGV[5] == "1" and held[4] ~= "1" then return false end
if held[1] and tonumber(held[2] or "0") > now then return false end
if held[1] then redis.call("HINCRBY", release, "expiries", 1) end

-- How late the look is, counted from when it was due: what the metrics tell of the engine.
local late = 0
if held[4] == "1" and held[8] then
  late = math.max(0, now - tonumber(held[8]))
  local bucket = "inf"
  for _, bound in ipairs({25, 50, 100, 150, 200, 300, 400, 500, 750, 1000, 2000, 5000, 15000}) do
    if late <= bound then
      bucket = tostring(bound)
      break
    end
  end
  redis.call("HINCRBY", key_lateness(), bucket, 1)
end

local fence = math.max(tonumber(held[3] or "0") + 1, now_us)
redis.call("HSET", release, "owner", owner, "fence", whole(fence), "lease_until", whole(now + term), "called", "0")
redis.call("HDEL", release, "again")
redis.call("ZADD", key_due(), whole(now + term), id)
return {whole(fence), whole(now), redis.call("HGET", release, "expiries") or "0",
  redis.call("HGETALL", release), redis.call("HGETALL", key_lane(held[6])),
  redis.call("ZREVRANGE", key_parked(held[6]), 0, -1, "WITHSCORES"),
  held[7] and redis.call("HGET", key_target(held[7]), "release") or "",
  redis.call("LRANGE", key_usual(held[10], held[9] or ""), 0, -1), whole(late)}
