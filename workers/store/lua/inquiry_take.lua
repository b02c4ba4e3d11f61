-- Take an inquiry that was called for; nobody else is called for it before the term ends.
-- ARGV: offset, inquiry, term (ms), "1" when it must have been called for
-- Returns: false, or what was written down, when it was asked (ms), now (ms), failed tries, takes that came to nothing
local record = key_inquiry(ARGV[2])
local known = redis.call("HMGET", record, "document", "asked_at", "errors", "called")
if not known[1] then
  redis.call("ZREM", key_inquiries(), ARGV[2])
  return false
end
if ARGV[4] == "1" and not known[4] then return false end
redis.call("HDEL", record, "called", "nudged")
redis.call("ZADD", key_inquiries(), whole(now + tonumber(ARGV[3])), ARGV[2])
local takes = redis.call("HINCRBY", record, "takes", 1)
return {known[1], known[2], now_text, known[3] or "0", takes - 1}
