--[[
  Gives a turn to one of the replicas that ask for it.

  KEYS  self
  ARGV  whose turn: a field; now, epoch ms; how long it is nobody else's, ms
  Returns 1 where it is the caller's, else 0
]]
local last = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
-- a clock that was set back must not wait for the time to come again
if last and math.abs(tonumber(ARGV[2]) - last) < tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
