-- recheck
-- Look again at a release that has ended, because a workspace with its mark stands that nobody needs.
-- The engine decides and deletes; this only makes it look. One that is due already is left alone.
-- ARGV: offset, release
-- Returns: "due" | "waiting" (it is due already) | "refused", why | "unknown"
local id = ARGV[2]
local facts = redis.call("HMGET", key_release(id), "status", "twin_seen")
local status = facts[1]
if not status then return {"unknown"} end
if status == "queued" or status == "running" or status == "waiting" then
  return {"refused", "it is " .. status .. "; what it does not need goes when it has ended"}
end
if facts[2] ~= "1" then
  redis.call("HSET", key_release(id), "twin_seen", "1")
  emit(id, cjson.encode({type = "note", text = "a workspace with its mark stands that nobody needs: cleaning up again"}))
end
if redis.call("ZSCORE", key_due(), id) then return {"waiting"} end
nudge(id)
return {"due"}
