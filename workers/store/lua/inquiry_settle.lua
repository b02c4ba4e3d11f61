-- End an inquiry: admit what it wants released, say so in its delivery, and forget it. Nothing when it is over already.
-- ARGV: offset, inquiry, verdict (release|ignore), reason, how it is said, candidates (JSON list, as accept.lua takes
--   them, with settings; arrived (ms) where the commit came with the delivery), remember refs for (ms)
-- Returns: false, or the releases made, those joined, and the reason
local record = key_inquiry(ARGV[2])
local known = redis.call("HMGET", record, "delivery", "project", "waits")
if not known[1] then return false end
local made, joined, said = admit(cjson.decode(ARGV[6]), tonumber(ARGV[7]))
if said == "" then said = ARGV[5] end
for _, w in ipairs(cjson.decode(known[3] or "[]")) do
  redis.call("SREM", key_waiting(known[2], w.commit), ARGV[2])
end
redis.call("DEL", record)
redis.call("ZREM", key_inquiries(), ARGV[2])
amend(known[1], known[2], ARGV[3], ARGV[4], said, made, joined)
return {made, joined, said}
