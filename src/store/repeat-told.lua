--[[
  As `repeat`, for alerts of which another sender or replica has told since: they are the same if they began then, say the
  same, are in their groups by the same routing, and fire by an end that is not later.

  KEYS  times, changes, versions, references, digests
  ARGV  before what an end is too near to be sure of, epoch ms
        then for each alert, which is there once: fingerprint, its entry in `digests`, what `times` is to have

  Returns { the version of the inhibitions, then which of them, from 1, were not taken }
]]
--- with move
local times, changes, versions, references, digests = unpack(KEYS)
local near = tonumber(ARGV[1])

local fingerprints = {}
for i = 2, #ARGV, 3 do fingerprints[#fingerprints + 1] = ARGV[i] end
local known = redis.call('HMGET', times, unpack(fingerprints))
local held = redis.call('HMGET', references, unpack(fingerprints)) -- none where its group has let go of it
local said = redis.call('HMGET', digests, unpack(fingerprints))

local function goesOn(before, after)
  local starts, ends = string.match(before, '^(%S+) (%S+)')
  local newStarts, newEnds = string.match(after, '^(%S+) (%S+)')
  return starts == newStarts and tonumber(ends) > near and tonumber(ends) <= tonumber(newEnds)
end

local reply = { versionOf(versions) }
local moved, written = {}, {}
for i, fingerprint in ipairs(fingerprints) do
  local after = ARGV[3 * i + 1]
  if known[i] and held[i] and said[i] == ARGV[3 * i] and goesOn(known[i], after) then
    moved[#moved + 1] = fingerprint
    written[#written + 1] = fingerprint
    written[#written + 1] = after
  else
    reply[#reply + 1] = i
  end
end
move(times, changes, moved, written)
return reply
