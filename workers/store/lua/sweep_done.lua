-- Put the next look off, if it is still the taker's: one that was asked for meanwhile stays due.
-- ARGV: offset, name, end of the taker's lease (ms), the next one is due in (ms)
if redis.call("ZSCORE", key_sweeps(), ARGV[2]) == ARGV[3] then
  redis.call("ZADD", key_sweeps(), whole(now + tonumber(ARGV[4])), ARGV[2])
end
return 1
