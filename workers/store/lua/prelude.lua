-- Put in front of every script, behind the key functions made from keyspace.py.
-- ARGV[1] is always the clock's offset in milliseconds: 0, except in tests, whose clock may also be "@" and its time.
-- Texts that Python encoded (facts, state, specifications) are passed through and never decoded here.

local now_us
if string.sub(ARGV[1], 1, 1) == "@" then
  now_us = tonumber(string.sub(ARGV[1], 2)) * 1000
else
  local clock = redis.call("TIME")
  now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2]) + tonumber(ARGV[1]) * 1000
end
local now = math.floor(now_us / 1000)

local function whole(number) return string.format("%.0f", number) end
local now_text = whole(now)

-- Append a line to the history of a release.
local function emit(id, line)
  redis.call("RPUSH", key_events(id), now_text .. "|" .. line)
end

-- Make a release due now; one that a worker holds is looked at again when it is let go.
local function nudge(id)
  local held = redis.call("HMGET", key_release(id), "owner", "lease_until")
  if held[1] and tonumber(held[2] or "0") > now then
    redis.call("HSET", key_release(id), "again", "1")
  else
    redis.call("ZADD", key_due(), whole(now), id)
  end
end

-- Have a release's Git host told how it stands. receiver: as it is in the outbox, "" or nil for nobody.
local function tell_host(receiver, id)
  if not receiver or receiver == "" then return end
  redis.call("RPUSH", key_outbox(receiver), cjson.encode({releases = {id}, at = now / 1000}))
  redis.call("ZADD", key_outbox_due(), "NX", now_text, receiver)
end

-- Move a release to another status and keep the indexes true. The caller has checked that it may.
local function set_status(id, from, to, reason)
  if from ~= to then
    local sequence = redis.call("ZSCORE", key_status_releases(from), id)
    redis.call("ZREM", key_status_releases(from), id)
    redis.call("ZADD", key_status_releases(to), sequence or redis.call("INCR", key_sequence()), id)
    emit(id, cjson.encode({type = "status", status = to, reason = reason}))
  end
  redis.call("HSET", key_release(id), "status", to, "reason", reason)
end

-- End a release that was queued. No worker needs to touch it, unless it took a workspace over.
local function end_queued(id, lane, to, reason)
  local release = key_release(id)
  local facts = redis.call("HMGET", release, "order", "took_over", "report")
  redis.call("ZREM", key_status_releases("queued"), id)
  redis.call("ZADD", key_status_releases(to), facts[1], id)
  emit(id, cjson.encode({type = "status", status = to, reason = reason}))
  redis.call("HSET", release, "status", to, "reason", reason, "finished_at", now_text)
  redis.call("ZREM", key_queued(lane), id)
  tell_host(facts[3], id)
  if facts[2] then redis.call("ZADD", key_due(), now_text, id) else redis.call("ZREM", key_due(), id) end
end

-- Why nothing may start or switch in this lane now, or nil.
local function standstill(project, lane)
  local freeze = redis.call("GET", key_freeze(project))
  if freeze then
    local facts = cjson.decode(freeze)
    if type(facts["until"]) ~= "number" or facts["until"] * 1000 > now then
      return "frozen by " .. facts["author"] .. ": " .. facts["reason"]
    end
  end
  local pin = redis.call("HGET", key_lane(lane), "pin")
  if pin then
    local facts = cjson.decode(pin)
    if type(facts["until"]) ~= "number" or facts["until"] * 1000 > now then
      return "pinned by " .. facts["author"] .. ": " .. facts["reason"]
    end
  end
  local hold = redis.call("HGET", key_lane(lane), "hold")
  if hold then return "held: " .. cjson.decode(hold)["reason"] end
  return nil
end

-- Write a new release down as queued; older queued ones of its lane give way. Its order is its place among all.
-- c: release, facts, state ("": as fresh ones have it), project, lane, commit, reason, config, settings, supersede,
--   report (receiver of the outbox that tells the Git host, or nil)
local function enqueue(c)
  local number = redis.call("HINCRBY", key_numbers(), c.project, 1)
  local order = redis.call("INCR", key_sequence())
  local lane = redis.call("HMGET", key_lane(c.lane), "project", "running", "gave_way")
  redis.call("HSET", key_release(c.release), "facts", c.facts, "state", c.state, "status", "queued",
    "reason", c.reason, "number", number, "order", order, "created_at", now_text,
    "lane", c.lane, "project", c.project, "commit", c.commit, "report", c.report or "")
  if not lane[1] then
    redis.call("HSET", key_lane(c.lane), "project", c.project)
    redis.call("SADD", key_lanes(), c.lane)
  end
  if c.settings ~= "" then redis.call("HSETNX", key_configs(), c.config, c.settings) end
  redis.call("ZADD", key_releases(), order, c.release)
  redis.call("ZADD", key_project_releases(c.project), order, c.release)
  redis.call("ZADD", key_status_releases("queued"), order, c.release)
  emit(c.release, cjson.encode({type = "status", status = "queued", reason = c.reason}))
  for _, old in ipairs(redis.call("ZRANGE", key_queued(c.lane), 0, -1)) do
    end_queued(old, c.lane, "superseded", "release #" .. number .. " of the same lane is newer")
  end
  redis.call("ZADD", key_queued(c.lane), order, c.release)
  tell_host(c.report, c.release)
  redis.call("ZADD", key_due(), whole(now + (c.delay or 0)), c.release)
  local running = lane[2]
  if running and c.supersede == "running" and tonumber(lane[3] or "0") < 3 then
    local facts = redis.call("HMGET", key_release(running), "past_switch", "stop")
    if facts[1] ~= "1" and not facts[2] then
      redis.call("HSET", key_release(running), "stop", cjson.encode({to = "superseded",
        by = "release #" .. number, reason = "release #" .. number .. " is newer"}))
      redis.call("HINCRBY", key_lane(c.lane), "gave_way", 1)
      nudge(running)
    end
  end
  return number
end
