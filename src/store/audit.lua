--[[
  The ledger, and what there is of each kind at the same instant.

  KEYS  ledger, due, owed
  ARGV  key prefix of members; group and row of the canary, which do not count

  Returns { the ledger as name, value …; memberships in groups; rows owed }
]]
local live = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if id ~= ARGV[2] then live = live + redis.call('SCARD', ARGV[1] .. id) end
end
local open = redis.call('ZCARD', KEYS[3]) - (redis.call('ZSCORE', KEYS[3], ARGV[3]) and 1 or 0)
return { redis.call('HGETALL', KEYS[1]), live, open }
