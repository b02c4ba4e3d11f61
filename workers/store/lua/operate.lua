-- Ask for something on the live release of a lane (a rollback). ARGV: offset, release, request (JSON text)
-- Returns: "asked" | "refused", why | "unknown"
local id = ARGV[2]
local facts = redis.call("HMGET", key_release(id), "status", "operation")
if not facts[1] then return {"unknown"} end
if facts[1] ~= "live" then return {"refused", "it is " .. facts[1] .. ", not live"} end
if facts[2] and cjson.decode(facts[2])["kind"] == "repair" then
  return {"refused", "a switch that came late is being put right; ask again in a moment"}
end
if facts[2] then return {"refused", "a rollback of it is under way already"} end
redis.call("HSET", key_release(id), "operation", ARGV[3])
emit(id, cjson.encode({type = "note", text = "rollback asked"}))
nudge(id)
return {"asked"}
