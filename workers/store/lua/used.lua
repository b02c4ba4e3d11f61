-- Note that a host's secret verified a delivery just now.
-- ARGV: offset, host, fingerprint of the secret
redis.call("HSET", key_secret_uses(ARGV[2]), ARGV[3], now_text)
return 1
