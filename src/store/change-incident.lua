--[[
  Acknowledges or resolves an incident by hand, if it still is as the caller saw it.

  KEYS  incident, timeline
  ARGV  state it must have; new state: acknowledged | resolved; now, epoch ms; by whom; timeline entry as JSON
  Returns 1 where it changed, else 0
]]
if redis.call('HGET', KEYS[1], 'state') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], ARGV[2] .. 'At', ARGV[3])
if ARGV[2] == 'acknowledged' then redis.call('HSET', KEYS[1], 'acknowledgedBy', ARGV[4]) end
redis.call('RPUSH', KEYS[2], ARGV[5])
return 1
