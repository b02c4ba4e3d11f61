-- Keep a lease for another term. ARGV: offset, release, owner, fence, term (ms)
-- Returns: 1, or 0 when the lease has passed on or run out
local release, term = key_release(ARGV[2]), tonumber(ARGV[5])
local held = redis.call("HMGET", release, "owner", "fence", "lease_until")
if held[1] ~= ARGV[3] or held[2] ~= ARGV[4] or tonumber(held[3] or "0") <= now then return 0 end
redis.call("HSET", release, "lease_until", whole(now + term))
redis.call("ZADD", key_due(), whole(now + term), ARGV[2])
return 1
