-- Write deliveries down, each with its verdict and the releases that it makes; one round trip, each all or nothing.
-- ARGV: offset, deliveries (JSON list): {id, host ("" unless it sent this itself), facts (text), keep (ms),
--   verdict and reason when there are no candidates, remember (how long refs are, ms), candidates, kept_back (list
--   of project, ref, commit: told, and not to be released by itself)}; of a candidate, all texts: what enqueue() takes
--   (settings "" when the store should have them), and ref, before ("" none), replayed ("1"|""), forced ("1"|""),
--   time (host's, seconds, or ""), moved_back (release|ignore); and stood, only when the host was asked where
--   the ref is: the commit ("" none) that was last accepted on it before the host was asked
--   Optional: inquiries [{id, project, document, reason, said, waits [{ref, commit, before, time}], ci}], where `ci` is
--   the commit that an event of CI tells of; named [{project, commit, ref, text}]: what pushes named, for such events;
--   checks [{project, commit, name, green ("1"|"")}]: checks that such events told of; ids {field: repository id}
-- Returns for each: verdict, reason, release ids; or "settings" when the store lacks some, and
--   nothing of that delivery was written

local settings_known = {}
local function lacks_settings(c)
  if c.settings == "" and settings_known[c.config] == nil then
    settings_known[c.config] = redis.call("HEXISTS", key_configs(), c.config) == 1
  end
  return c.settings == "" and not settings_known[c.config]
end

-- Say what became of the releases of a delivery that came again: nothing runs twice, but a person may retry.
local function became(ids)
  local words = ""
  for _, id in ipairs(ids) do
    local release = redis.call("HMGET", key_release(id), "status", "number")
    if release[1] then
      words = words .. "; release #" .. release[2] .. " is " .. release[1]
      if release[1] == "failed" or release[1] == "rolled_back" then
        words = words .. " (to try again: switchover releases retry " .. id .. ")"
      end
    end
  end
  return words
end

-- Keep what events of CI are matched with later.
local function remember(delivery)
  for _, n in ipairs(delivery.named or {}) do
    redis.call("HSET", key_named(n.project, n.commit), n.ref, now_text .. "|" .. n.text)
    redis.call("PEXPIRE", key_named(n.project, n.commit), delivery.keep)
  end
  for _, h in ipairs(delivery.checks or {}) do
    redis.call(h.green == "1" and "SADD" or "SREM", key_green(h.project, h.commit), h.name)
    redis.call("PEXPIRE", key_green(h.project, h.commit), delivery.keep)
  end
  for field, id in pairs(delivery.ids or {}) do redis.call("HSETNX", key_repository_ids(), field, id) end
end

-- Tell why an event of CI needs no inquiry of its own, or nil when it does.
local function needless(q)
  if look_again(q.project, q.ci) > 0 then
    return "CI told of " .. q.ci:sub(1, 12) .. "; the push that waits for it is looked at again"
  end
  if redis.call("EXISTS", key_named(q.project, q.ci)) == 0 then
    return "no push that is still remembered named " .. q.ci:sub(1, 12)
  end
  return nil
end

-- Write down what has to be found out first. Returns for each project: verdict, reason, and how it is said.
local function inquire(delivery)
  local asked, open = {}, false
  for place, q in ipairs(delivery.inquiries) do
    local reason = q.ci and needless(q)
    if reason then
      asked[place] = {project = q.project, verdict = "ignore", reason = reason, said = q.project .. ": " .. reason}
    else
      open = true
      asked[place] = {project = q.project, verdict = "ask", reason = q.reason, said = q.said}
      redis.call("HSET", key_inquiry(q.id), "document", q.document, "asked_at", now_text, "delivery", delivery.id,
        "project", q.project)
      redis.call("ZADD", key_inquiries(), now_text, q.id)
      for _, w in ipairs(q.waits) do
        w.project = q.project
        move_tip(w, delivery.keep)
      end
    end
  end
  return asked, open
end

-- `place` tells deliveries apart that came together: lists of deliveries go by their time.
local function accept(delivery, place)
  local record = key_delivery(delivery.id)
  local known = redis.call("HMGET", record, "releases", "verdict", "by_rules")
  if delivery.host ~= "" then redis.call("HSET", key_last_deliveries(), delivery.host, delivery.id) end
  -- Ignored by the rules it made nothing; sent again when the rules of today want it, it is decided anew.
  local wanted = #delivery.candidates > 0 or delivery.inquiries
  if known[2] and not (known[3] and wanted) then
    redis.call("HINCRBY", record, "repeats", 1)
    redis.call("HINCRBY", key_verdicts(), "duplicate", 1)
    local ids = cjson.decode(known[1])
    local was = (known[2] == "asking" and "is still " or "was ") .. known[2]
    return {"duplicate", "this delivery came before and " .. was .. became(ids), ids}
  end
  for _, c in ipairs(delivery.candidates) do
    if lacks_settings(c) then return {"settings"} end
  end
  if known[2] then
    redis.call("HINCRBY", record, "repeats", 1)
    redis.call("HDEL", record, "by_rules")
  end
  local verdict, reason, releases = delivery.verdict, delivery.reason, {}
  if #delivery.candidates > 0 then
    local made, joined
    made, joined, reason = admit(delivery.candidates, delivery.remember)
    releases = (#made > 0 and made) or joined
    verdict = (#made > 0 and "accepted") or (#joined > 0 and "duplicate") or "ignored"
  end
  if delivery.named or delivery.checks or delivery.ids then remember(delivery) end
  if delivery.inquiries then
    local asked, open = inquire(delivery)
    local words = reason ~= "" and {reason} or {}
    for _, each in ipairs(asked) do table.insert(words, each.said) end
    redis.call("HSET", record, "base", reason, "asked", cjson.encode(asked))
    if open and verdict ~= "accepted" then verdict = "asking" end
    reason = table.concat(words, "; ")
  end
  for _, kept in ipairs(delivery.kept_back) do redis.call("HSET", key_heard(kept[1]), kept[2], kept[3]) end
  redis.call("HSET", record, "facts", delivery.facts, "verdict", verdict, "reason", reason,
    "releases", #releases > 0 and cjson.encode(releases) or "[]", "received_at", now_text)
  if verdict == "ignored" and not wanted then redis.call("HSET", record, "by_rules", "1") end
  redis.call("PEXPIRE", record, delivery.keep)
  redis.call("ZADD", key_deliveries(), whole(now_us + place), delivery.id)
  redis.call("HINCRBY", key_verdicts(), verdict, 1)
  return {verdict, reason, releases}
end

local answers = {}
for place, delivery in ipairs(cjson.decode(ARGV[2])) do answers[place] = accept(delivery, place) end
return answers
