-- strike
-- Take a workspace that is gone off the ledger, unless another release has it there meanwhile.
-- ARGV: offset, workspace, release that the ledger named when it was read
-- Returns: 1 when it was struck, else 0
local text = redis.call("HGET", key_ledger(), ARGV[2])
if not text or cjson.decode(text)["release"] ~= ARGV[3] then return 0 end
return redis.call("HDEL", key_ledger(), ARGV[2])
