--[[
  Keeps what was told, word for word; the oldest go, until all that is kept takes no more than so many bytes.

  KEYS  messages, their order, how many bytes they take
  ARGV  id; the message; how many bytes all may take

  Returns how many bytes they take.
]]
local id, message, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local known = redis.call('HSTRLEN', KEYS[1], id)
if known == 0 then redis.call('RPUSH', KEYS[2], id) end
redis.call('HSET', KEYS[1], id, message)
local bytes = redis.call('INCRBY', KEYS[3], #message - known)
while bytes > most do
  local oldest = redis.call('LPOP', KEYS[2])
  if not oldest then break end
  bytes = redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', KEYS[1], oldest))
  redis.call('HDEL', KEYS[1], oldest)
end
return bytes
