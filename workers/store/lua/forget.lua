-- Forget what is older than the retention: finished releases that nobody needs any more, and deliveries.
-- ARGV: offset, releases that ended before (ms), deliveries that came before (ms), at most so many releases
-- Returns: releases forgotten, deliveries forgotten
local before, most = tonumber(ARGV[2]), tonumber(ARGV[4])
local forgotten = 0
for _, id in ipairs(redis.call("ZRANGE", key_releases(), 0, most - 1)) do
  local facts = redis.call("HMGET", key_release(id), "status", "finished_at", "lane", "project")
  local finished = tonumber(facts[2] or "")
  local over = facts[1] and facts[1] ~= "live" and finished and finished < before
  -- A release with a due time still has a workspace to be dealt with.
  if over and not redis.call("ZSCORE", key_due(), id) and not redis.call("ZSCORE", key_parked(facts[3]), id) then
    redis.call("DEL", key_release(id), key_events(id), key_probe(id), key_report(id))
    redis.call("ZREM", key_releases(), id)
    redis.call("ZREM", key_project_releases(facts[4]), id)
    redis.call("ZREM", key_status_releases(facts[1]), id)
    redis.call("ZREM", key_failed(), id)
    redis.call("ZREM", key_lane_failed(facts[3]), id)
    forgotten = forgotten + 1
  end
end
return {forgotten, redis.call("ZREMRANGEBYSCORE", key_deliveries(), "-inf", whole(tonumber(ARGV[3]) * 1000))}
