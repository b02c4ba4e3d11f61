-- Ask a release to end early. A queued one ends at once; a running one is told and nudged.
-- ARGV: offset, release, who, reason
-- Returns: "cancelled" | "asked" | "refused", why | "unknown"
local id = ARGV[2]
local facts = redis.call("HMGET", key_release(id), "status", "lane", "past_switch", "stop")
local status = facts[1]
if not status then return {"unknown"} end
if status == "queued" then
  end_queued(id, facts[2], "cancelled", "cancelled by " .. ARGV[3] .. (ARGV[4] ~= "" and ": " .. ARGV[4] or ""))
  return {"cancelled"}
end
if status ~= "running" and status ~= "waiting" then return {"refused", "it is " .. status .. " already"} end
if facts[3] == "1" then return {"refused", "its switch has begun; roll back instead once it is live"} end
if not facts[4] then
  redis.call("HSET", key_release(id), "stop", cjson.encode({to = "cancelled", by = ARGV[3],
    reason = "cancelled by " .. ARGV[3] .. (ARGV[4] ~= "" and ": " .. ARGV[4] or "")}))
  emit(id, cjson.encode({type = "note", text = "cancel asked by " .. ARGV[3]}))
end
nudge(id)
return {"asked"}
