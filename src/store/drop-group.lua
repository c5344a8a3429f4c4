--[[
  Lets go of a group whose route is gone, with whatever is in it: its alerts have groups under other routes.

  KEYS  group, members, references, collectable, due, ledger
  ARGV  group id; when an alert without a group may be forgotten, epoch ms
  Returns 1
]]
local group, members, references, collectable, due, ledger = unpack(KEYS)
for _, fingerprint in ipairs(redis.call('SMEMBERS', members)) do
  redis.call('HINCRBY', ledger, 'left:regrouped', 1)
  if redis.call('HINCRBY', references, fingerprint, -1) <= 0 then
    redis.call('HDEL', references, fingerprint)
    redis.call('ZADD', collectable, ARGV[2], fingerprint)
  end
end
redis.call('DEL', group, members)
redis.call('ZREM', due, ARGV[1])
return 1
