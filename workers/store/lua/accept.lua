-- Write deliveries down, each with its verdict and the releases that it makes; one round trip, each all or nothing.
-- ARGV: offset, deliveries (JSON list): {id, facts (text), keep (ms), verdict and reason when there are no
--   candidates, remember (how long refs are, ms), candidates, kept_back (list of project, ref, commit: told, and
--   not to be released by itself)}; of a candidate, all texts: what enqueue() takes
--   (settings "" when the store should have them), and ref, before ("" none), replayed ("1"|""), forced ("1"|""),
--   time (host's, seconds, or ""), moved_back (release|ignore); and stood, only when the host was asked where
--   the ref is: the commit ("" none) that was last accepted on it before the host was asked
-- Returns for each: verdict, reason, release ids; or "settings" when the store lacks some, and
--   nothing of that delivery was written
-- Order within a ref (P5): the before/after chain, else the host's time, else arrival.

local FINISHED_BADLY = {failed = true, cancelled = true, superseded = true, rolled_back = true, replaced = true}

-- So long after the host told where a ref is (ms), a push that cannot be ordered waits for the host to be asked again.
local ASKED_AGAIN = 3600000

local function remember_chain(c, remember)
  if c.before ~= "" then
    redis.call("SET", key_ref_child(c.project, c.ref, c.before), c.commit, "PX", remember)
  end
end

-- Note where a push moved a ref to. `back` says that it may have stood at that commit before.
local function remember_move(c, release, back, remember)
  local commit_key = key_ref_commit(c.project, c.ref, c.commit)
  local found = c.stood and now_text or ""
  redis.call("HSET", key_ref(c.project, c.ref), "commit", c.commit, "time", c.time, "back", back and "1" or "",
    "found", found)
  redis.call("HSET", commit_key, "before", c.before, "time", c.time, "release", release, "found", found)
  redis.call("PEXPIRE", commit_key, remember)
  remember_chain(c, remember)
end

-- Decide what to do with a commit of which the host said, after `stood` was read, that the ref is there now.
local function judge_found(c)
  local head = redis.call("HMGET", key_ref(c.project, c.ref), "commit", "time")
  local seen = redis.call("HGET", key_ref_commit(c.project, c.ref, c.commit), "release")
  local first = seen and redis.call("HMGET", key_release(seen), "status", "number") or {}
  local name = "release #" .. (first[2] or "?")
  if head[1] == c.commit then
    return "join", "the same commit is " .. name .. " already (" .. (first[1] or "forgotten") .. ")", seen or nil
  end
  if (head[1] or "") ~= c.stood then
    return "ignore", "the ref was moved on while the host was asked; the next look decides"
  end
  -- It is newer than what was accepted, whatever the clocks of the store and of the host say.
  c.before = c.stood
  if c.time == "" then c.time = string.format("%.3f", now / 1000) end
  if (tonumber(head[2] or "") or 0) > tonumber(c.time) then c.time = head[2] end
  if not seen then return "new", nil, nil, false end
  if c.moved_back == "release" then return "new", "the ref moved back to the commit of " .. name, nil, true end
  redis.call("HSET", key_heard(c.project), c.ref, c.commit)
  return "ignore", "the ref moved back to the commit of " .. name .. ", and the trigger says forced: ignore"
end

-- Decide what a commit on a ref is: "new", or "join"/"ignore" with a reason and the release to join.
-- A replay is never taken for an event that was merely sent again.
-- Returns as fourth whether the ref may have stood at this commit before.
local function judge(c, remember)
  if c.stood then return judge_found(c) end
  local head = redis.call("HMGET", key_ref(c.project, c.ref), "commit", "time", "back", "found")
  local seen = redis.call("HMGET", key_ref_commit(c.project, c.ref, c.commit), "release", "before", "time", "found")
  local time, head_time = tonumber(c.time), tonumber(head[2] or "")
  local earlier = time and head_time and time < head_time
  local back = c.forced == "1" or seen[2]
  if seen[1] then
    local first = redis.call("HMGET", key_release(seen[1]), "status", "number")
    local name = "release #" .. (first[2] or "?")
    local sent_again = c.replayed == "" and (seen[2] or "") == c.before and (seen[3] or "") == c.time
    if head[1] == c.commit then
      if (seen[4] or "") ~= "" and c.replayed == "" then
        remember_move(c, seen[1], back, remember)
        return "join", "late: the host was asked before this came, and the commit is " .. name .. " already", seen[1]
      end
      if not FINISHED_BADLY[first[1] or "failed"] or sent_again or (earlier and c.replayed == "") then
        if time and head_time and time > head_time then remember_move(c, seen[1], true, remember) end
        return "join", "the same commit is " .. name .. " already (" .. (first[1] or "forgotten") .. ")", seen[1]
      end
      return "new", "the commit was pushed again after " .. name .. " (" .. (first[1] or "forgotten") .. ")", nil, back
    end
    if (c.forced == "1" or c.before == head[1]) and not earlier and not (sent_again and time) then
      if c.moved_back == "release" then return "new", "the ref moved back to the commit of " .. name, nil, back end
      return "ignore", "the ref moved back to the commit of " .. name .. ", and the trigger says forced: ignore"
    end
    return "join", "late: the commit is " .. name .. " already, and a newer one came since", seen[1]
  end
  if not head[1] then return "new", nil, nil, back end
  -- Where the ref went in a circle the chain holds both ways round, and the host's time decides.
  local followed = redis.call("EXISTS", key_ref_child(c.project, c.ref, c.commit)) == 1
  local circle = followed or (earlier and head[3] == "1")
  local later = time and head_time and time > head_time
  if c.before == head[1] and (later or not circle) then return "new", nil, nil, back end
  if followed then
    remember_chain(c, remember)
    return "ignore", "late: a commit pushed on top of this one was accepted before it"
  end
  if earlier then return "ignore", "late: the host moved the ref on before this delivery came" end
  if not later and now - (tonumber(head[4] or "") or 0) < ASKED_AGAIN then
    return "ignore", "the host was asked where the ref is, and this may be older: the next look decides"
  end
  return "new", nil, nil, back
end

-- Carry the candidates of one delivery out. Returns verdict, reason, release ids.
local function admit(candidates, remember)
  local made, joined, reasons = {}, {}, {}
  for _, c in ipairs(candidates) do
    local decision, reason, first, back = judge(c, remember)
    if decision == "new" then
      if reason then c.reason = reason end
      local number = enqueue(c)
      remember_move(c, c.release, back, remember)
      redis.call("HDEL", key_heard(c.project), c.ref)
      table.insert(made, c.release)
      table.insert(reasons, c.project .. ": release #" .. number)
    else
      if first then table.insert(joined, first) end
      table.insert(reasons, c.project .. ": " .. reason)
    end
  end
  local ids = (#made > 0 and made) or joined
  local verdict = (#made > 0 and "accepted") or (#joined > 0 and "duplicate") or "ignored"
  return verdict, table.concat(reasons, "; "), ids
end

local settings_known = {}
local function lacks_settings(c)
  if c.settings == "" and settings_known[c.config] == nil then
    settings_known[c.config] = redis.call("HEXISTS", key_configs(), c.config) == 1
  end
  return c.settings == "" and not settings_known[c.config]
end

-- `place` tells deliveries apart that came together: lists of deliveries go by their time.
local function accept(delivery, place)
  local record = key_delivery(delivery.id)
  local known = redis.call("HMGET", record, "releases", "verdict")
  if known[2] then
    redis.call("HINCRBY", record, "repeats", 1)
    redis.call("HINCRBY", key_verdicts(), "duplicate", 1)
    return {"duplicate", "this delivery came before and was " .. known[2], cjson.decode(known[1])}
  end
  for _, c in ipairs(delivery.candidates) do
    if lacks_settings(c) then return {"settings"} end
  end
  local verdict, reason, releases = delivery.verdict, delivery.reason, {}
  if #delivery.candidates > 0 then
    verdict, reason, releases = admit(delivery.candidates, delivery.remember)
  end
  for _, kept in ipairs(delivery.kept_back) do redis.call("HSET", key_heard(kept[1]), kept[2], kept[3]) end
  redis.call("HSET", record, "facts", delivery.facts, "verdict", verdict, "reason", reason,
    "releases", #releases > 0 and cjson.encode(releases) or "[]", "received_at", now_text)
  redis.call("PEXPIRE", record, delivery.keep)
  redis.call("ZADD", key_deliveries(), whole(now_us + place), delivery.id)
  redis.call("HINCRBY", key_verdicts(), verdict, 1)
  return {verdict, reason, releases}
end

local answers = {}
for place, delivery in ipairs(cjson.decode(ARGV[2])) do answers[place] = accept(delivery, place) end
return answers
