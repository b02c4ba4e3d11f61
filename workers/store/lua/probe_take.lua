-- Take the probing of one release that nobody probes now. ARGV: offset, owner, term (ms)
-- Returns: false, or release, fence, now (ms), fields of the probe
local free = redis.call("ZRANGEBYSCORE", key_probes(), "-inf", whole(now), "LIMIT", 0, 1)[1]
if not free then return false end
local fence = math.max(tonumber(redis.call("HGET", key_probe(free), "fence") or "0") + 1, now_us)
redis.call("HSET", key_probe(free), "owner", ARGV[2], "fence", whole(fence))
redis.call("ZADD", key_probes(), whole(now + tonumber(ARGV[3])), free)
return {free, whole(fence), whole(now), redis.call("HGETALL", key_probe(free))}
