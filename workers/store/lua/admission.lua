-- Put behind the prelude of the scripts that admit commits: a delivery's, or those of an inquiry that is over.
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
    "found", found, "arrived", c.arrived or now_text)
  redis.call("HSET", commit_key, "before", c.before, "time", c.time, "release", release, "found", found)
  redis.call("PEXPIRE", commit_key, remember)
  remember_chain(c, remember)
end

-- Have inquiries that wait for CI look again now; one that is being carried out looks once more.
local function look_again(project, commit)
  local found = 0
  for _, id in ipairs(redis.call("SMEMBERS", key_waiting(project, commit))) do
    if redis.call("ZSCORE", key_inquiries(), id) then
      redis.call("ZADD", key_inquiries(), now_text, id)
      redis.call("HSET", key_inquiry(id), "nudged", "1")
      found = found + 1
    end
  end
  return found
end

-- Note the newest commit of a ref on which CI is awaited; what waits on an older one gives up at its next look.
-- w: project, ref, commit, before, time, arrived (ms; "" for now), all texts; keep (ms): nil where only a known tip moves
local function move_tip(w, keep)
  local tip_key = key_tip(w.project, w.ref)
  local tip = redis.call("HMGET", tip_key, "commit", "before", "time", "arrived")
  if not tip[1] and not keep then return end
  local arrived, time, tip_time = w.arrived or now_text, tonumber(w.time), tonumber(tip[3] or "")
  if tip[1] and tip[1] ~= w.commit then
    local older
    if time and tip_time then older = time < tip_time
    elseif tip[2] == w.commit then older = true
    elseif w.before ~= tip[1] then older = tonumber(arrived) < tonumber(tip[4]) end
    if older then return end
    look_again(w.project, tip[1])
  end
  redis.call("HSET", tip_key, "commit", w.commit, "before", w.before, "time", w.time, "arrived", arrived)
  if keep then redis.call("PEXPIRE", tip_key, keep) end
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
  local head = redis.call("HMGET", key_ref(c.project, c.ref), "commit", "time", "back", "found", "arrived")
  local seen = redis.call("HMGET", key_ref_commit(c.project, c.ref, c.commit), "release", "before", "time", "found")
  local time, head_time = tonumber(c.time), tonumber(head[2] or "")
  local earlier = time and head_time and time < head_time
  -- What was asked about first is admitted late: without times its place is that of its arrival.
  if c.arrived and not (time and head_time) then
    earlier = head[5] and tonumber(c.arrived) < tonumber(head[5])
  end
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
    -- The next look must not take for told what was told while it was asked about.
    if c.arrived then redis.call("HDEL", key_heard(c.project), c.ref) end
    return "ignore", "the host was asked where the ref is, and this may be older: the next look decides"
  end
  return "new", nil, nil, back
end

-- Carry the candidates of one delivery out. Returns the releases made, those joined, and the reason.
local function admit(candidates, remember)
  local made, joined, reasons = {}, {}, {}
  for _, c in ipairs(candidates) do
    local decision, reason, first, back = judge(c, remember)
    if decision == "new" then
      if reason then c.reason = reason end
      local number = enqueue(c)
      remember_move(c, c.release, back, remember)
      move_tip(c)
      redis.call("HDEL", key_heard(c.project), c.ref)
      table.insert(made, c.release)
      table.insert(reasons, c.project .. ": release #" .. number)
    else
      if first then table.insert(joined, first) end
      table.insert(reasons, c.project .. ": " .. reason)
    end
  end
  return made, joined, table.concat(reasons, "; ")
end

-- Say in a delivery what became of one project's inquiry. The delivery may be forgotten by now.
local function amend(delivery, project, verdict, reason, said, made, joined)
  local record = key_delivery(delivery)
  local known = redis.call("HMGET", record, "verdict", "asked", "base", "releases")
  if not known[1] or not known[2] then return end
  local asked, words, open = cjson.decode(known[2]), {}, false
  if known[3] and known[3] ~= "" then table.insert(words, known[3]) end
  for _, each in ipairs(asked) do
    if each.project == project then each.verdict, each.reason, each.said = verdict, reason, said end
    if each.verdict == "ask" then open = true end
    table.insert(words, each.said)
  end
  local now_is, releases = known[1], cjson.decode(known[4])
  if #made > 0 and now_is ~= "accepted" then now_is, releases = "accepted", {} end
  for _, id in ipairs((#made > 0 and made) or (now_is ~= "accepted" and joined) or {}) do
    table.insert(releases, id)
  end
  if now_is ~= "accepted" then
    now_is = (open and "asking") or (#releases > 0 and "duplicate") or "ignored"
  end
  redis.call("HSET", record, "verdict", now_is, "reason", table.concat(words, "; "), "asked", cjson.encode(asked),
    "releases", #releases > 0 and cjson.encode(releases) or "[]")
  if now_is ~= known[1] then
    redis.call("HINCRBY", key_verdicts(), known[1], -1)
    redis.call("HINCRBY", key_verdicts(), now_is, 1)
  end
end
