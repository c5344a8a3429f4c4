--[[
  Forgets alerts whose time has come, are resolved and in no group; others get a later time.

  KEYS  alerts, times, references, collectable, indexed, changes, sourced, digests
  ARGV  now, epoch ms; how much later, ms; key prefixes of places and of what is occupied; fingerprints
  Returns how many were forgotten
]]
local now, forgotten = tonumber(ARGV[1]), {}
for i = 5, #ARGV do
  local fingerprint = ARGV[i]
  local ends = tonumber(string.match(redis.call('HGET', KEYS[2], fingerprint) or '', '^%S+ (%S+)') or 1)
  if tonumber(redis.call('HGET', KEYS[3], fingerprint) or 0) > 0 then
    redis.call('ZREM', KEYS[4], fingerprint) -- its group sees to it when it lets go
  elseif ends == 0 or ends > now then
    redis.call('ZADD', KEYS[4], now + math.max(1, tonumber(ARGV[2])), fingerprint)
  else
    redis.call('HDEL', KEYS[1], fingerprint)
    redis.call('HDEL', KEYS[2], fingerprint)
    redis.call('HDEL', KEYS[8], fingerprint)
    redis.call('ZREM', KEYS[4], fingerprint)
    for name in string.gmatch(redis.call('HGET', KEYS[5], fingerprint) or '', '%S+') do
      if redis.call('ZREM', ARGV[3] .. name, fingerprint) == 1 then
        local rule = string.match(name, '^[^:]+')
        if redis.call('EXISTS', ARGV[3] .. name) == 0 then redis.call('SREM', ARGV[4] .. rule, name) end
        if redis.call('HINCRBY', KEYS[7], rule, -1) <= 0 then redis.call('HDEL', KEYS[7], rule) end
      end
    end
    redis.call('HDEL', KEYS[5], fingerprint)
    forgotten[#forgotten + 1] = fingerprint
  end
end
if #forgotten > 0 then
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', 1000, '*', 'moved', '', 'changed', '', 'gone', table.concat(forgotten, ' '))
end
return #forgotten
