-- Put the next look at an inquiry off and say what it waits for; nothing when it is over already.
-- ARGV: offset, inquiry, put off by (ms), failed tries, reason, how it is said, keep (ms), waits (JSON list):
--   {ref, commit, before, time} where CI is awaited
-- Returns: 1, or 0 when it is over
local record = key_inquiry(ARGV[2])
local known = redis.call("HMGET", record, "delivery", "project", "nudged", "asked_at")
if not known[1] then return 0 end
local wait, keep = known[3] and 0 or tonumber(ARGV[3]), tonumber(ARGV[7])
redis.call("ZADD", key_inquiries(), whole(now + wait), ARGV[2])
redis.call("HSET", record, "errors", ARGV[4], "waits", ARGV[8], "takes", 0)
for _, w in ipairs(cjson.decode(ARGV[8])) do
  redis.call("SADD", key_waiting(known[2], w.commit), ARGV[2])
  redis.call("PEXPIRE", key_waiting(known[2], w.commit), keep)
  w.project, w.arrived = known[2], known[4]
  move_tip(w, keep)
end
amend(known[1], known[2], "ask", ARGV[5], ARGV[6], {}, {})
return 1
