--[[
  The ledger, and what there is of each kind at the same instant.

  KEYS  ledger, due, owed
  ARGV  key prefix of members

  Returns { the ledger as name, value …; memberships in groups; rows owed }
]]
local live = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do live = live + redis.call('SCARD', ARGV[1] .. id) end
return { redis.call('HGETALL', KEYS[1]), live, redis.call('ZCARD', KEYS[3]) }
