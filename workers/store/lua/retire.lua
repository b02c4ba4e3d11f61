-- retire
-- A workspace that stands by or is kept shall go now: the release's clean-up honours it.
-- ARGV: offset, release, who
-- Returns: "asked" | "refused", why | "unknown"
local id = ARGV[2]
local facts = redis.call("HMGET", key_release(id), "status", "lane", "number", "handed_over", "retire_asked")
local status = facts[1]
if not status then return {"unknown"} end
local name = "release #" .. facts[3]
if status == "live" then return {"refused", "it serves production: " .. name .. " is live"} end
if status == "queued" or status == "running" or status == "waiting" then
  return {"refused", name .. " is " .. status .. "; cancel it, and its workspace goes"}
end
if facts[4] then return {"refused", "it was taken over by release " .. facts[4]} end
local live = redis.call("HGET", key_lane(facts[2]), "live")
local operation = live and redis.call("HGET", key_release(live), "operation")
if operation and cjson.decode(operation)["revive"] == id then
  return {"refused", "a rollback to " .. name .. " is under way"}
end
if not facts[5] then
  redis.call("HSET", key_release(id), "retire_asked", ARGV[3])
  emit(id, cjson.encode({type = "note", text = "its workspace shall go now, asked by " .. ARGV[3]}))
end
nudge(id)
return {"asked"}
