--[[
  Opens the ledger with what there is, where groups and rows are older than it is.

  KEYS  ledger, due, owed
  ARGV  key prefix of members; group and row of the canary, which do not count
  Returns 1 where it was opened, else 0
]]
if redis.call('HEXISTS', KEYS[1], 'owed') == 1 then return 0 end
local live = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if id ~= ARGV[2] then live = live + redis.call('SCARD', ARGV[1] .. id) end
end
local open = redis.call('ZCARD', KEYS[3]) - (redis.call('ZSCORE', KEYS[3], ARGV[3]) and 1 or 0)
-- what was counted since, though nothing was owed yet, has its sums, too
local left, ended = 0, 0
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  if string.sub(counts[i], 1, 5) == 'left:' then left = left + tonumber(counts[i + 1])
  elseif counts[i] ~= 'joined' then ended = ended + tonumber(counts[i + 1]) end
end
redis.call('HSET', KEYS[1], 'joined', live + left, 'owed', open + ended)
return 1
