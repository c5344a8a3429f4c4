--[[
  Keeps what was told, word for word; the oldest go, until all that is kept takes no more than so many bytes.

  KEYS  messages, their order, how many bytes they take
  ARGV  how many bytes all may take; then for each: id, the message

  Returns how many bytes they take.
]]
local messages, order, bytesOfAll = unpack(KEYS)
local most = tonumber(ARGV[1])
local grown = 0
for at = 2, #ARGV, 2 do
  local id, message = ARGV[at], ARGV[at + 1]
  local known = redis.call('HSTRLEN', messages, id)
  if known == 0 then redis.call('RPUSH', order, id) end
  redis.call('HSET', messages, id, message)
  grown = grown + #message - known
end
local bytes = redis.call('INCRBY', bytesOfAll, grown)
while bytes > most do
  local oldest = redis.call('LPOP', order)
  if not oldest then break end
  bytes = redis.call('DECRBY', bytesOfAll, redis.call('HSTRLEN', messages, oldest))
  redis.call('HDEL', messages, oldest)
end
return bytes
