--[[
  Takes alerts again that are known and fire, with an end that is not earlier: the common case, in which only times move. By the
  rules of `accept`, to which is left whatever else there is to do. It tells the usual alert by its times being what the
  caller wrote itself: nobody has touched it since.

  KEYS  times, changes, versions, references
  ARGV  number of pairs, then for each: what is expected behind the start in `times`, what is to stand there
        the alerts, each once, as one text: fingerprint (16), start (13 digits), number of its pair (3 digits, from 1)

  Returns { the version of the inhibitions, then which of them, from 1, were not taken }
]]
--- with move
local times, changes, versions, references = unpack(KEYS)
local LENGTH = 32

local pairsGiven = tonumber(ARGV[1])
local alerts = ARGV[2 + 2 * pairsGiven]
local fingerprints = {}
for at = 1, #alerts, LENGTH do fingerprints[#fingerprints + 1] = string.sub(alerts, at, at + 15) end
local known = redis.call('HMGET', times, unpack(fingerprints))
local held = redis.call('HMGET', references, unpack(fingerprints)) -- none where its group has let go of it

local reply = { versionOf(versions) }
local moved, written = {}, {}
for i, fingerprint in ipairs(fingerprints) do
  local at = (i - 1) * LENGTH
  local starts, pair = string.sub(alerts, at + 17, at + 29), 2 * tonumber(string.sub(alerts, at + 30, at + 32))
  if held[i] and known[i] == starts .. ARGV[pair] then
    moved[#moved + 1] = fingerprint
    written[#written + 1] = fingerprint
    written[#written + 1] = starts .. ARGV[pair + 1]
  else
    reply[#reply + 1] = i
  end
end
move(times, changes, moved, written)
return reply
