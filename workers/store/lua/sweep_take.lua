-- Take the look that has been due for the longest. It is due again at the end of the lease, unless it is put off.
-- ARGV: offset, lease (ms), looks to choose from (JSON list of names)
-- Returns: name and end of the lease (ms), or nothing when none is due
local chosen, since
for _, name in ipairs(cjson.decode(ARGV[3])) do
  local due = tonumber(redis.call("ZSCORE", key_sweeps(), name) or "0")
  if due <= now and (since == nil or due < since) then chosen, since = name, due end
end
if not chosen then return {} end
local lease_end = whole(now + tonumber(ARGV[2]))
redis.call("ZADD", key_sweeps(), lease_end, chosen)
return {chosen, lease_end}
