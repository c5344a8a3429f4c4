--[[
  Writes down what Twilio says of a message, unless something later is known: a status never goes back.

  KEYS  status of the message
  ARGV  status; its rank; now, epoch ms; error code, '' for none; ms to keep it
  Returns 1 where it is news, else 0
]]
local rank = tonumber(redis.call('HGET', KEYS[1], 'rank') or -1)
if tonumber(ARGV[2]) <= rank then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[1], 'rank', ARGV[2], 'at', ARGV[3], 'error', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
