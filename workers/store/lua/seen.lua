-- A worker process is alive. What is stored is raised to its schema version; one that knows less is told so instead.
-- ARGV: offset, worker, the schema version that it knows, forget workers not seen for (ms)
-- Returns: the schema version of the store
local version = tonumber(redis.call("GET", key_schema()) or "0")
if version > tonumber(ARGV[3]) then return version end
if version < tonumber(ARGV[3]) then redis.call("SET", key_schema(), ARGV[3]) end
redis.call("ZADD", key_workers(), whole(now), ARGV[2])
redis.call("ZREMRANGEBYSCORE", key_workers(), "-inf", whole(now - tonumber(ARGV[4])))
return tonumber(ARGV[3])
