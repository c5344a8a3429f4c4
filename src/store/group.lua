-- A group with its alerts and what its integrations were told, as { group as name, value …; fingerprints; bodies; times; nflog as
-- name, value …; integrations owed }; empty where there is no such group.
local function readGroup(group, members, alerts, times, nflog, outbox)
  local fields = redis.call('HGETALL', group)
  if #fields == 0 then return {} end
  local fingerprints = redis.call('SMEMBERS', members)
  local bodies, ends = {}, {}
  for from = 1, #fingerprints, 2000 do -- unpack fails near 8,000
    local to = math.min(from + 1999, #fingerprints)
    local body = redis.call('HMGET', alerts, unpack(fingerprints, from, to))
    local time = redis.call('HMGET', times, unpack(fingerprints, from, to))
    for i = 1, to - from + 1 do
      bodies[from + i - 1] = body[i] or ''
      ends[from + i - 1] = time[i] or ''
    end
  end
  return { fields, fingerprints, bodies, ends, redis.call('HGETALL', nflog), redis.call('SMEMBERS', outbox) }
end
