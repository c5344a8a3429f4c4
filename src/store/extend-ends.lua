--[[
  Gives alerts whose end came within a span another end, as by the resolve timeout. An end that was not ahead when it was said
  is a resolve, and stays.

  KEYS  times, indexed, changes
  ARGV  the span: after, until, epoch ms; the new end, epoch ms; key prefix of places; fingerprints
  Returns how many
]]
local since, until_, ends, prefix = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local moved = {}
for i = 5, #ARGV do
  local fingerprint = ARGV[i]
  local s, e, u, sText = string.match(redis.call('HGET', KEYS[1], fingerprint) or '', '^(%S+) (%S+) (%S+) %S+ (%S+)')
  if s and tonumber(e) > since and tonumber(e) <= until_ and tonumber(e) > tonumber(u) then
    redis.call('HSET', KEYS[1], fingerprint, s .. ' ' .. ends .. ' ' .. u .. ' t ' .. sText .. ' -')
    for name in string.gmatch(redis.call('HGET', KEYS[2], fingerprint) or '', '%S+') do
      redis.call('ZADD', prefix .. name, 'XX', ends, fingerprint)
    end
    moved[#moved + 1] = fingerprint
  end
end
if #moved > 0 then
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000, '*', 'moved', table.concat(moved, ' '), 'changed', '', 'gone', '')
end
return #moved
