--[[
  Puts alerts into the places where they inhibit others. Repeatable.

  KEYS  times, indexed, sourced
  ARGV  key prefixes of places and of what is occupied
        then for each alert: fingerprint, number of its places, the places

  An alert that is not kept any more is left out.
]]
--- with place
local at = 3
while at <= #ARGV do
  local fingerprint, count = ARGV[at], tonumber(ARGV[at + 1])
  local ends = string.match(redis.call('HGET', KEYS[1], fingerprint) or '', '^%S+ (%S+)')
  local places = {}
  for i = 1, count do places[i] = ARGV[at + 1 + i] end
  if ends then place(ARGV[1], ARGV[2], KEYS[2], KEYS[3], places, fingerprint, tonumber(ends)) end
  at = at + 2 + count
end
return 1
