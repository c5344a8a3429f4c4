--[[
  Writes silences in one step, with the line of the audit that says who did it.

  KEYS  silences, versions, silence changes, silence ends, audit
  ARGV  an epoch for a store that has none; how many silences there may be, 0: no limit; audit line as JSON
        then for each silence: id, its body as it must be now ('' for none), its new body, its end in epoch ms

  Returns { 1, how many there are }, { 0, … } where one is not as it must be, { -1, how many there are } where there would be too many
]]
local silences, versions, changes, ends, audit = unpack(KEYS)
local most, fresh = tonumber(ARGV[2]), 0
for i = 4, #ARGV, 4 do
  local body = redis.call('HGET', silences, ARGV[i]) or ''
  if body ~= ARGV[i + 1] then return { 0, 0 } end
  if body == '' then fresh = fresh + 1 end
end
local count = redis.call('HLEN', silences) + fresh
if most > 0 and fresh > 0 and count > most then return { -1, count - fresh } end

redis.call('HSETNX', versions, 'epoch', ARGV[1])
local version = redis.call('HINCRBY', versions, 'silences', 1)
for i = 4, #ARGV, 4 do
  redis.call('HSET', silences, ARGV[i], ARGV[i + 2])
  redis.call('ZADD', changes, version, ARGV[i])
  redis.call('ZADD', ends, ARGV[i + 3], ARGV[i])
end
redis.call('XADD', audit, 'MAXLEN', '~', 10000, '*', 'entry', ARGV[3])
return { 1, count }
