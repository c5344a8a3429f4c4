--[[
  A group with its alerts and what its integrations were told.

  KEYS  group, members, alerts, times, nflog, outbox
  Returns { group as name, value …; fingerprints; bodies; times; nflog as name, value …; integrations owed },
  or nothing where there is no such group.
]]
local group = redis.call('HGETALL', KEYS[1])
if #group == 0 then return {} end
local members = redis.call('SMEMBERS', KEYS[2])
local bodies, times = {}, {}
for from = 1, #members, 2000 do -- unpack fails near 8,000
  local to = math.min(from + 1999, #members)
  local body = redis.call('HMGET', KEYS[3], unpack(members, from, to))
  local time = redis.call('HMGET', KEYS[4], unpack(members, from, to))
  for i = 1, to - from + 1 do
    bodies[from + i - 1] = body[i] or ''
    times[from + i - 1] = time[i] or ''
  end
end
return { group, members, bodies, times, redis.call('HGETALL', KEYS[5]), redis.call('SMEMBERS', KEYS[6]) }
