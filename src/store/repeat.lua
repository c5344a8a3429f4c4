--[[
  Takes alerts again that are known and fire, with an end that is not earlier: the common case, in which only times move. By the
  rules of `accept`, to which is left whatever else there is to do.

  KEYS  times, changes, versions
  ARGV  now, epoch ms; before what an end is too near to be sure of, epoch ms
        then for each alert, which is there once: fingerprint (16), start and end (13 digits each), length of both as texts (2),
        both as texts, and what `times` ends with for what is known: ' ', the digest, ' ', the routing

  Returns { the version of the inhibitions, then which of them, from 1, were not taken }
]]
local times, changes, versions = unpack(KEYS)
local now, near = ARGV[1], tonumber(ARGV[2])
local KEPT_CHANGES = 1000

local fingerprints = {}
for i = 3, #ARGV do fingerprints[i - 2] = string.sub(ARGV[i], 1, 16) end
local known = redis.call('HMGET', times, unpack(fingerprints))

local reply = { (redis.call('HGET', versions, 'epoch') or '') .. ' ' .. (redis.call('HGET', versions, 'rules') or '0') }
local moved, written = {}, {}
for i, fingerprint in ipairs(fingerprints) do
  local time, alert = known[i], ARGV[i + 2]
  local starts, ends, length = string.sub(alert, 17, 29), string.sub(alert, 30, 42), tonumber(string.sub(alert, 43, 44))
  local tail = string.sub(alert, 45 + length)
  local before = time and string.sub(time, 14, 14) == ' ' and string.sub(time, 28, 28) == ' ' and string.sub(time, 15, 27)
  if before and string.sub(time, 1, 13) == starts and string.sub(time, -#tail) == tail and ends >= before
    and tonumber(before) > near then
    moved[#moved + 1] = fingerprint
    written[#written + 1] = fingerprint
    written[#written + 1] = starts .. ' ' .. ends .. ' ' .. now .. ' s ' .. string.sub(alert, 45)
  else
    reply[#reply + 1] = i
  end
end
if #moved > 0 then
  redis.call('HSET', times, unpack(written))
  redis.call('XADD', changes, 'MAXLEN', '~', KEPT_CHANGES, '*', 'moved', table.concat(moved, ' '), 'changed', '', 'gone', '')
end
return reply
