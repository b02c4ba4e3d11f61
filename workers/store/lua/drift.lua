-- Note what somebody else put on a lane's paths, unless we may have switched since the domain was read.
-- ARGV: offset, lane, target, connections as they were before the read (text, "" none), drift (text, "" none)
-- Returns: 1 noted | 0 not
local lane = key_lane(ARGV[2])
if redis.call("HGET", key_target(ARGV[3]), "release") then return 0 end
if (redis.call("HGET", lane, "connections") or "") ~= ARGV[4] then return 0 end
if ARGV[5] == "" then redis.call("HDEL", lane, "drift") else redis.call("HSET", lane, "drift", ARGV[5]) end
return 1
