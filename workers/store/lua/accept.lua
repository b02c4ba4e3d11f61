-- Write down one delivery, its verdict and the releases that it makes; one round trip, all or nothing.
-- ARGV: offset, delivery id, delivery facts (text), retention (ms), candidates (JSON list), verdict and reason
--   when there are no candidates, how long refs are remembered (ms)
-- then for each candidate its facts, state and settings (texts; settings "" when the store should have them)
-- Candidate: what enqueue() takes, and ref, before, forced, time (host's, seconds), moved_back (release|ignore)
-- Returns: verdict, reason, release ids (JSON list); or "settings" when the store lacks some, and nothing was written
-- Order within a ref (P5): the before/after chain, else the host's time, else arrival.

local delivery_id, remember = ARGV[2], ARGV[8]
local record = key_delivery(delivery_id)
local known = redis.call("HMGET", record, "releases", "verdict")
if known[2] then
  redis.call("HINCRBY", record, "repeats", 1)
  redis.call("HINCRBY", key_verdicts(), "duplicate", 1)
  return {"duplicate", "this delivery came before and was " .. known[2], known[1]}
end

local candidates = cjson.decode(ARGV[5])
for index, c in ipairs(candidates) do
  local at = 8 + (index - 1) * 3
  c.facts, c.state, c.settings = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if c.settings == "" and redis.call("HEXISTS", key_configs(), c.config) == 0 then return {"settings"} end
end

local FINISHED_BADLY = {failed = true, cancelled = true, superseded = true, rolled_back = true, replaced = true}

-- Note where a push moved a ref to. `back` says that it may have stood at that commit before.
local function remember_move(c, back)
  local commit_key = key_ref_commit(c.project, c.ref, c.commit)
  redis.call("HSET", key_ref(c.project, c.ref), "commit", c.commit, "time", c.time or "", "back", back and "1" or "")
  redis.call("HSET", commit_key, "before", c.before or "", "time", c.time or "")
  redis.call("PEXPIRE", commit_key, remember)
  if c.before and c.before ~= "" then
    redis.call("SET", key_ref_child(c.project, c.ref, c.before), c.commit, "PX", remember)
  end
end

-- Decide what a commit on a ref is: "new", or "join"/"ignore" with a reason and the release to join.
-- A replay has an empty `before`: it is never taken for an event that was merely sent again.
local function judge(c)
  local head = redis.call("HMGET", key_ref(c.project, c.ref), "commit", "time", "back")
  local seen = redis.call("HMGET", key_ref_commit(c.project, c.ref, c.commit), "release", "before", "time")
  local time, head_time = tonumber(c.time or ""), tonumber(head[2] or "")
  local earlier = time and head_time and time < head_time
  if seen[1] then
    local first = redis.call("HMGET", key_release(seen[1]), "status", "number")
    local name = "release #" .. (first[2] or "?")
    local sent_again = c.before ~= "" and (seen[2] or "") == (c.before or "") and (seen[3] or "") == (c.time or "")
    if head[1] == c.commit then
      if not FINISHED_BADLY[first[1] or "failed"] or sent_again or (earlier and c.before ~= "") then
        if time and head_time and time > head_time then remember_move(c, true) end
        return "join", "the same commit is " .. name .. " already (" .. (first[1] or "forgotten") .. ")", seen[1]
      end
      return "new", "the commit was pushed again after " .. name .. " (" .. (first[1] or "forgotten") .. ")"
    end
    if (c.forced or c.before == head[1]) and not earlier and not (sent_again and c.time) then
      if c.moved_back == "release" then return "new", "the ref moved back to the commit of " .. name end
      return "ignore", "the ref moved back to the commit of " .. name .. ", and the trigger says forced: ignore"
    end
    return "join", "late: the commit is " .. name .. " already, and a newer one came since", seen[1]
  end
  if not head[1] then return "new" end
  -- Where the ref went in a circle the chain holds both ways round, and the host's time decides.
  local followed = redis.call("EXISTS", key_ref_child(c.project, c.ref, c.commit)) == 1
  local circle = followed or (earlier and head[3] == "1")
  local later = time and head_time and time > head_time
  if c.before == head[1] and (later or not circle) then return "new" end
  if followed then
    return "ignore", "late: a commit pushed on top of this one was accepted before it"
  end
  if earlier then return "ignore", "late: the host moved the ref on before this delivery came" end
  return "new"
end

local made, joined, reasons = {}, {}, {}
for _, c in ipairs(candidates) do
  local decision, reason, first = judge(c)
  if decision == "new" then
    local back = c.forced or redis.call("EXISTS", key_ref_commit(c.project, c.ref, c.commit)) == 1
    if reason then c.reason = reason end
    local number = enqueue(c)
    remember_move(c, back)
    redis.call("HSET", key_ref_commit(c.project, c.ref, c.commit), "release", c.release)
    table.insert(made, c.release)
    table.insert(reasons, c.project .. ": release #" .. number)
  else
    if first then table.insert(joined, first) end
    table.insert(reasons, c.project .. ": " .. reason)
  end
end

local verdict, reason, releases = ARGV[6], ARGV[7], "[]"
if #reasons > 0 then
  reason = table.concat(reasons, "; ")
  verdict = (#made > 0 and "accepted") or (#joined > 0 and "duplicate") or "ignored"
  local ids = (#made > 0 and made) or joined
  if #ids > 0 then releases = cjson.encode(ids) end
end
redis.call("HSET", record, "facts", ARGV[3], "verdict", verdict, "reason", reason, "releases", releases,
  "received_at", whole(now))
redis.call("PEXPIRE", record, ARGV[4])
redis.call("ZADD", key_deliveries(), whole(now_us), delivery_id)
redis.call("HINCRBY", key_verdicts(), verdict, 1)
return {verdict, reason, releases}
