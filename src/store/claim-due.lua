--[[
  Takes groups whose flush is due: those first that the gravest alerts have joined, then by time. A group taken is due again when
  the lease ends, so that a flusher that dies loses nothing; `settle` gives it its next time.

  KEYS  due, grave, alerts, times, versions, sourced
  ARGV  now, epoch ms; end of the lease, epoch ms; how many at the most; the claim: a word of the caller's;
        key prefixes of groups, members, nflog and outbox

  Returns { for each its id, when it was due, and the group as `readGroup` does or {} where it is read apart; how far silences and
            inhibitions have got: epoch, silences, rules; rules with sources as name, count … }
]]
--- with group
local due, grave, alerts, times, versions, sourced = unpack(KEYS)
local now, lease, most, claim, prefix = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local membersPrefix, nflogPrefix, outboxPrefix = ARGV[6], ARGV[7], ARGV[8]
local READ = 1000 -- alerts, at the most: reading more would hold up others

local taken, room = {}, READ
local function take(id, since)
  local group = prefix .. id
  if redis.call('EXISTS', group) == 1 then
    redis.call('ZADD', due, lease, id)
    redis.call('HSET', group, 'claim', claim)
    redis.call('HSETNX', group, 'dueSince', since) -- until a flush comes to its end
    room = room - redis.call('SCARD', membersPrefix .. id)
    taken[#taken + 1] = {
      id, since,
      room >= 0 and readGroup(group, membersPrefix .. id, alerts, times, nflogPrefix .. id, outboxPrefix .. id) or {},
    }
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
local found = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'WITHSCORES', 'LIMIT', 0, most - #taken)
for i = 1, #found, 2 do
  redis.call('ZREM', grave, found[i])
  take(found[i], found[i + 1])
end
return { taken, redis.call('HMGET', versions, 'epoch', 'silences', 'rules'), redis.call('HGETALL', sourced) }
