-- Ask a release that has ended to put right what a late switch call put.
-- ARGV: offset, release, request (JSON text)
-- Returns: "asked" | "refused", why | "unknown"
local id = ARGV[2]
local facts = redis.call("HMGET", key_release(id), "status", "operation")
if not facts[1] then return {"unknown"} end
if facts[1] == "queued" or facts[1] == "running" or facts[1] == "waiting" then
  return {"refused", "it is " .. facts[1] .. " and looks after its target itself"}
end
if facts[2] then return {"refused", "something is asked of it already"} end
redis.call("HSET", key_release(id), "operation", ARGV[3])
nudge(id)
return {"asked"}
