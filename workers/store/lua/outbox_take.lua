-- Take the oldest notice of a receiver, so that no two workers send it at once. ARGV: offset, receiver, term (ms)
-- Returns: false, or the notice's text and how often it was tried
local state = redis.call("HMGET", key_outbox_state(ARGV[2]), "busy_until", "tries")
if tonumber(state[1] or "0") > now then return false end
local notice = redis.call("LINDEX", key_outbox(ARGV[2]), 0)
if not notice then
  redis.call("ZREM", key_outbox_due(), ARGV[2])
  redis.call("DEL", key_outbox_state(ARGV[2]))
  return false
end
redis.call("HSET", key_outbox_state(ARGV[2]), "busy_until", whole(now + tonumber(ARGV[3])))
redis.call("ZADD", key_outbox_due(), whole(now + tonumber(ARGV[3])), ARGV[2])
return {notice, state[2] or "0"}
