--[[
  Takes groups whose flush is due. A group taken is due again when the lease ends, so that a flusher
  that dies loses nothing; `settle` gives it its next time.

  KEYS[1]  due
  ARGV  now, epoch ms; end of the lease, epoch ms; how many at the most; the claim: a word of the caller's;
        key prefix of groups

  Returns group ids and when each was due, in turn: { id, due, id, due … }
]]
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local taken = {}
for i = 1, #found, 2 do
  local group = ARGV[5] .. found[i]
  if redis.call('EXISTS', group) == 1 then
    redis.call('ZADD', KEYS[1], ARGV[2], found[i])
    redis.call('HSET', group, 'claim', ARGV[4])
    redis.call('HSETNX', group, 'dueSince', found[i + 1]) -- until a flush comes to its end
    taken[#taken + 1] = found[i]
    taken[#taken + 1] = found[i + 1]
  else
    redis.call('ZREM', KEYS[1], found[i])
  end
end
return taken
