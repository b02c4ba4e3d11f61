-- Write what a prober counted and keep its lease. ARGV: offset, release, fence, term (ms), tally (text), nudge (1|0)
-- Returns: 1, or 0 when the probing has passed on or was ended
local id = ARGV[2]
if redis.call("HGET", key_probe(id), "fence") ~= ARGV[3] or not redis.call("ZSCORE", key_probes(), id) then return 0 end
redis.call("HSET", key_probe(id), "tally", ARGV[5], "reported_at", whole(now))
redis.call("ZADD", key_probes(), whole(now + tonumber(ARGV[4])), id)
if ARGV[6] == "1" then nudge(id) end
return 1
