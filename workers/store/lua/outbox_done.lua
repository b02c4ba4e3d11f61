-- Say what became of the oldest notice. ARGV: offset, receiver, its text, sent or given up (1) | try again (0), wait (ms)
-- Returns: how many are left
if ARGV[4] == "1" then
  if redis.call("LINDEX", key_outbox(ARGV[2]), 0) == ARGV[3] then redis.call("LPOP", key_outbox(ARGV[2])) end
  redis.call("DEL", key_outbox_state(ARGV[2]))
else
  redis.call("HINCRBY", key_outbox_state(ARGV[2]), "tries", 1)
  redis.call("HDEL", key_outbox_state(ARGV[2]), "busy_until")
end
local left = redis.call("LLEN", key_outbox(ARGV[2]))
if left == 0 then
  redis.call("ZREM", key_outbox_due(), ARGV[2])
else
  redis.call("ZADD", key_outbox_due(), whole(now + tonumber(ARGV[5])), ARGV[2])
end
return left
