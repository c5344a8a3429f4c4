--[[
  Puts alerts into the places where they inhibit others. Repeatable.

  KEYS  times, indexed, sourced, then the places
  ARGV  number of places, then their names as `indexed` has them
        then for each alert: fingerprint, number of its places, which of them from 1

  An alert that is not kept any more is left out.
]]
--- with place
local at = 2 + tonumber(ARGV[1])
while at <= #ARGV do
  local fingerprint, count = ARGV[at], tonumber(ARGV[at + 1])
  local ends = string.match(redis.call('HGET', KEYS[1], fingerprint) or '', '^%S+ (%S+)')
  for i = at + 2, at + 1 + count do
    local n = tonumber(ARGV[i])
    if ends then place(KEYS[3 + n], KEYS[2], KEYS[3], ARGV[1 + n], fingerprint, tonumber(ends)) end
  end
  at = at + 2 + count
end
return 1
