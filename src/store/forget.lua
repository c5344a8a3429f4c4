--[[
  Forgets alerts whose time has come, are resolved and in no group; others get a later time.

  KEYS  alerts, times, references, collectable
  ARGV  now, epoch ms; how much later, ms; fingerprints
  Returns how many were forgotten
]]
local now, forgotten = tonumber(ARGV[1]), 0
for i = 3, #ARGV do
  local fingerprint = ARGV[i]
  local ends = tonumber(string.match(redis.call('HGET', KEYS[2], fingerprint) or '', '^%S+ (%S+)') or 1)
  if tonumber(redis.call('HGET', KEYS[3], fingerprint) or 0) > 0 then
    redis.call('ZREM', KEYS[4], fingerprint) -- its group sees to it when it lets go
  elseif ends == 0 or ends > now then
    redis.call('ZADD', KEYS[4], now + tonumber(ARGV[2]), fingerprint)
  else
    redis.call('HDEL', KEYS[1], fingerprint)
    redis.call('HDEL', KEYS[2], fingerprint)
    redis.call('ZREM', KEYS[4], fingerprint)
    forgotten = forgotten + 1
  end
end
return forgotten
