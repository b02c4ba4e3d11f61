-- Claim releases and inquiries that are due, and receivers with notices to send, for Celery.
-- A claim marks what it took as called and puts its due time off; one that is never carried out is due again.
-- ARGV: offset, at most so many, cap of the Celery queue, put off by (ms)
-- Returns: release ids, receivers, inquiries, how late (ms) the most overdue release was
local most, cap, put_off = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local room = math.min(most, cap - redis.call("LLEN", key_queue()))
if room <= 0 then return {{}, {}, {}, 0} end

-- However many releases are due, a quarter of the room is for inquiries, and the other way round.
local inquiries = redis.call("ZRANGEBYSCORE", key_inquiries(), "-inf", now_text, "LIMIT", 0, room)
local left = room
if #inquiries > 0 then
  local wanting = redis.call("ZCOUNT", key_due(), "-inf", now_text)
  local share = math.max(math.floor(room / 4), room - wanting)
  for index = #inquiries, share + 1, -1 do inquiries[index] = nil end
  left = room - #inquiries
end
for _, id in ipairs(inquiries) do
  redis.call("HSET", key_inquiry(id), "called", "1")
  redis.call("ZADD", key_inquiries(), whole(now + put_off), id)
end

local releases, late = {}, 0
if left > 0 then
  local due = redis.call("ZRANGEBYSCORE", key_due(), "-inf", now_text, "WITHSCORES", "LIMIT", 0, left)
  for index = 1, #due, 2 do
    local id = due[index]
    late = math.max(late, now - tonumber(due[index + 1]))
    redis.call("HSET", key_release(id), "called", "1", "called_for", due[index + 1])
    redis.call("ZADD", key_due(), whole(now + put_off), id)
    table.insert(releases, id)
  end
end

local receivers = redis.call("ZRANGEBYSCORE", key_outbox_due(), "-inf", now_text, "LIMIT", 0, room)
for _, receiver in ipairs(receivers) do
  redis.call("ZADD", key_outbox_due(), whole(now + put_off), receiver)
end
return {releases, receivers, inquiries, late}
