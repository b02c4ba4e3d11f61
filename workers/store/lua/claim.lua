-- Claim releases that are due, and receivers with notices to send, for Celery.
-- A claim marks the release as called and puts its due time off; one that is never carried out is due again.
-- ARGV: offset, at most so many, cap of the Celery queue, put off by (ms)
-- Returns: release ids, receivers, how late (ms) the most overdue release was
local most, cap, put_off = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local room = math.min(most, cap - redis.call("LLEN", key_queue()))
if room <= 0 then return {{}, {}, 0} end

local due = redis.call("ZRANGEBYSCORE", key_due(), "-inf", whole(now), "WITHSCORES", "LIMIT", 0, room)
local releases, late = {}, 0
for index = 1, #due, 2 do
  local id = due[index]
  late = math.max(late, now - tonumber(due[index + 1]))
  redis.call("HSET", key_release(id), "called", "1", "called_for", due[index + 1])
  redis.call("ZADD", key_due(), whole(now + put_off), id)
  table.insert(releases, id)
end

local receivers = redis.call("ZRANGEBYSCORE", key_outbox_due(), "-inf", whole(now), "LIMIT", 0, room)
for _, receiver in ipairs(receivers) do
  redis.call("ZADD", key_outbox_due(), whole(now + put_off), receiver)
end
return {releases, receivers, late}
