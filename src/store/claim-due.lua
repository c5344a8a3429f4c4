--[[
  Takes groups whose flush is due: those first that the gravest alerts have joined, then by time. A group taken is due again when
  the lease ends, so that a flusher that dies loses nothing; `settle` gives it its next time.

  KEYS  due, grave
  ARGV  now, epoch ms; end of the lease, epoch ms; how many at the most; the claim: a word of the caller's;
        key prefix of groups

  Returns group ids and when each was due, in turn: { id, due, id, due … }
]]
local due, grave = unpack(KEYS)
local now, lease, most, claim, prefix = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local taken = {}
local function take(id, since)
  local group = prefix .. id
  if redis.call('EXISTS', group) == 1 then
    redis.call('ZADD', due, lease, id)
    redis.call('HSET', group, 'claim', claim)
    redis.call('HSETNX', group, 'dueSince', since) -- until a flush comes to its end
    taken[#taken + 1] = id
    taken[#taken + 1] = since
  else
    redis.call('ZREM', due, id)
  end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', grave, '-inf', now, 'LIMIT', 0, most)) do
  local since = redis.call('ZSCORE', due, id)
  if since and tonumber(since) > now then
    redis.call('ZADD', grave, since, id) -- they joined while a flush was on its way, which may not have seen them
  else
    redis.call('ZREM', grave, id)
    if since then take(id, since) end
  end
end
local found = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'WITHSCORES', 'LIMIT', 0, most - #taken / 2)
for i = 1, #found, 2 do
  redis.call('ZREM', grave, found[i])
  take(found[i], found[i + 1])
end
return taken
