--[[
  Claims an outbox row for one attempt: it must still be owed and due, and nobody else may be sending.
  A row found sending after its lease ended is unconfirmed: the attempt before may have arrived.

  KEYS  row, owed
  ARGV  row id; now, epoch ms; end of the lease, epoch ms

  Returns the row as name, value … with its new attempt (the fencing number), or nothing.
]]
local state, attempt = unpack(redis.call('HMGET', KEYS[1], 'state', 'attempt'))
if not state then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {}
end
local due = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or ARGV[2])
if due > tonumber(ARGV[2]) then return {} end -- not yet, or another's lease holds

if state == 'sending' then redis.call('HSET', KEYS[1], 'unconfirmed', '1') end
redis.call('HSET', KEYS[1], 'state', 'sending', 'attempt', tonumber(attempt) + 1, 'again', '0')
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return redis.call('HGETALL', KEYS[1])
