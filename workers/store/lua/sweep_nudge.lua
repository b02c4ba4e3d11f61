-- Make every look that was put off due now, unless that was done just before.
-- ARGV: offset, how their names begin, how long "just before" is (ms)
-- Returns: 1, or 0 when it was too soon
if now - tonumber(redis.call("ZSCORE", key_sweeps(), "nudged") or "0") < tonumber(ARGV[3]) then return 0 end
redis.call("ZADD", key_sweeps(), now_text, "nudged")
for _, name in ipairs(redis.call("ZRANGE", key_sweeps(), 0, -1)) do
  if string.sub(name, 1, #ARGV[2]) == ARGV[2] then redis.call("ZADD", key_sweeps(), now_text, name) end
end
return 1
