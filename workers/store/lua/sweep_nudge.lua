-- Make every look that was put off due now.
-- ARGV: offset, how their names begin
-- Returns: how many
local nudged = 0
for _, name in ipairs(redis.call("ZRANGE", key_sweeps(), 0, -1)) do
  if string.sub(name, 1, #ARGV[2]) == ARGV[2] then
    redis.call("ZADD", key_sweeps(), whole(now), name)
    nudged = nudged + 1
  end
end
return nudged
