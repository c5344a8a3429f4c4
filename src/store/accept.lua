--[[
  Merges alerts with what is known of them and puts them into their groups, by Alertmanager's rules
  (alert.Merge; dispatch.groupAlert). Repeatable: the same call again changes nothing but update times.

  KEYS[1..11] alerts, times, references, collectable, due, indexed, changes, versions, sourced, ledger, digests
  KEYS[12..]  for each group: group, members

  ARGV  now, epoch ms
        when a resolved alert without a group may be forgotten, epoch ms
        1 where resolved alerts make and join groups as others do, else 0
        1 where an old alert does not make its group due at once, else 0
        1 where the alerts are known ones that get other groups, else 0: then what is known of them stays as it is
        key prefixes of places and of what is occupied
        how many alerts, groups, and alerts in a group there may be, 0: any number
        fingerprint and group of the canary, which takes up no room
        number of groups, then for each: id, group wait in ms, route id, group key, group labels as JSON, receiver
        what the routing is known by; what this call's writing of times is known by
        number of alerts, then for each: fingerprint, body, and as one text of words: start, end (0: none), ended by (s, t or r),
          start and end as text ('-' where they print as their instant), digest of the body and of the start as text,
          number of its groups, which of them from 1, number of its places, the places

  Returns { new, changed or repeated, late copies dropped, joined a group, groups made, soonest due of those or -1,
            the version of the inhibitions, not taken since there are too many alerts, groups, alerts in a group }
]]
--- with place
local now, forgetAt, exact, calm = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1', ARGV[4] == '1'
local regroups, placePrefix, occupiedPrefix = ARGV[5] == '1', ARGV[6], ARGV[7]
local mostAlerts, mostGroups, mostMembers = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local canary, canaryGroup, routing, writer = ARGV[11], ARGV[12], ARGV[13], ARGV[14]
local LATE_COPY = 60000
local KEPT_CHANGES = 1000

local at = 15
local function take()
  at = at + 1
  return ARGV[at - 1]
end

local groups = {}
for i = 1, tonumber(take()) do
  groups[i] = {
    id = take(), wait = tonumber(take()), route = take(), key = take(), labels = take(), receiver = take(),
    hash = KEYS[10 + 2 * i], members = KEYS[11 + 2 * i],
  }
end

local version = (redis.call('HGET', KEYS[8], 'epoch') or '') .. ' ' .. (redis.call('HGET', KEYS[8], 'rules') or '0')

local alerts, fingerprints = {}, {}
for i = 1, tonumber(take()) do
  local alert = { fingerprint = take(), body = take(), groups = {}, places = {} }
  local word = string.gmatch(take(), '%S+')
  alert.starts, alert.ends, alert.by, alert.startsText, alert.endsText, alert.digest =
    tonumber(word()), tonumber(word()), word(), word(), word(), word()
  for j = 1, tonumber(word()) do alert.groups[j] = groups[tonumber(word())] end
  for j = 1, tonumber(word()) do alert.places[j] = word() end
  alerts[i], fingerprints[i] = alert, alert.fingerprint
end
if #alerts == 0 then return { 0, 0, 0, 0, 0, -1, version, 0, 0, 0 } end

local times = redis.call('HMGET', KEYS[2], unpack(fingerprints))
local digests = redis.call('HMGET', KEYS[11], unpack(fingerprints))
local known = {}
for i, fingerprint in ipairs(fingerprints) do
  if times[i] and not known[fingerprint] then
    local s, e, u, by, sText, eText = string.match(times[i], '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
    known[fingerprint] = {
      said = digests[i] or '', digest = string.match(digests[i] or '-', '^%S+'), starts = tonumber(s), ends = tonumber(e), updated = tonumber(u), by = by,
      startsText = sText, endsText = eText,
    }
  end
end

local function ending(alert) return alert.ends == 0 and math.huge or alert.ends end
local function resolved(alert) return ending(alert) <= now end

local function merge(old, new)
  local oldEnd, newEnd = ending(old), ending(new)
  local overlap = (old.starts < newEnd and newEnd < oldEnd) or (old.starts < new.starts and new.starts < oldEnd)
  if not overlap then return end
  if old.starts < new.starts then new.starts, new.startsText = old.starts, old.startsText end
  local keep
  if resolved(new) then keep = resolved(old) and oldEnd > newEnd
  else keep = oldEnd > newEnd and old.by == 's' end
  if keep then new.ends, new.endsText, new.by = old.ends, old.endsText, old.by end
end

local fresh, seen, late, joined, made, soonest = 0, 0, 0, 0, 0, -1
local refused = { alerts = 0, groups = 0, members = 0 }

-- far from a limit, as is usual, no alert is looked at for it
local alertCount, groupCount = redis.call('HLEN', KEYS[2]), redis.call('ZCARD', KEYS[5])
local alertsMayFill = mostAlerts > 0 and alertCount + #alerts > mostAlerts
local groupsMayFill = mostGroups > 0 and groupCount + #groups > mostGroups
if alertsMayFill then alertCount = alertCount - redis.call('HEXISTS', KEYS[2], canary) end
if groupsMayFill and redis.call('ZSCORE', KEYS[5], canaryGroup) then groupCount = groupCount - 1 end
local anyMayFill = alertsMayFill or groupsMayFill
for _, group in ipairs(groups) do
  group.mayFill = mostMembers > 0 and redis.call('SCARD', group.members) + #alerts > mostMembers
  anyMayFill = anyMayFill or group.mayFill
end

-- What there are too many of for an alert to be taken; one that resolves takes no room that it had not before.
local function full(alert, old)
  if not old and alertsMayFill and alertCount + fresh >= mostAlerts then return 'alerts' end
  if resolved(alert) and not exact then return nil end
  local wanted = 0
  for _, group in ipairs(alert.groups) do
    if redis.call('EXISTS', group.hash) == 0 then wanted = wanted + 1
    elseif group.mayFill and redis.call('SCARD', group.members) >= mostMembers
      and redis.call('SISMEMBER', group.members, alert.fingerprint) == 0 then return 'members' end
  end
  if wanted > 0 and groupsMayFill and groupCount + made + wanted > mostGroups then return 'groups' end
end

local newTimes, newBodies, newDigests = {}, {}, {}
for _, alert in ipairs(alerts) do
  local old = known[alert.fingerprint]
  if regroups and old then -- what came since it was read is newer
    alert.digest, alert.starts, alert.ends, alert.by = old.digest, old.starts, old.ends, old.by
    alert.startsText, alert.endsText = old.startsText, old.endsText
  end
  local lacking = anyMayFill and full(alert, old)
  -- another member of the sender's cluster may tell of the same occurrence after its resolve
  if old and alert.by == 'r' and not resolved(alert) and resolved(old) and old.starts == alert.starts
    and now - old.updated < LATE_COPY then
    late = late + 1
  elseif lacking then
    refused[lacking] = refused[lacking] + 1
  elseif not (regroups and not old) then
    if old then
      seen = seen + 1
      if not regroups then merge(old, alert) end
    else
      fresh = fresh + 1
    end
    if not old or (old.digest ~= alert.digest and not regroups) then newBodies[alert.fingerprint] = alert.body end
    alert.said = alert.digest .. ' ' .. routing
    if not old or old.said ~= alert.said then newDigests[alert.fingerprint] = alert.said end
    alert.updated = regroups and old and old.updated or now
    known[alert.fingerprint] = alert
    newTimes[alert.fingerprint] = string.format('%d %d %d %s %s %s %s', alert.starts, alert.ends, alert.updated, alert.by,
      alert.startsText, alert.endsText, writer)

    if #alert.places > 0 then
      place(placePrefix, occupiedPrefix, KEYS[6], KEYS[9], alert.places, alert.fingerprint, alert.ends)
    end

    local grouped = false
    for _, group in ipairs(alert.groups) do
      local exists = redis.call('EXISTS', group.hash) == 1
      if resolved(alert) and not exact then
        -- whoever never heard of it needs no all-clear: a resolve makes no group and joins none
        grouped = grouped or (exists and redis.call('SISMEMBER', group.members, alert.fingerprint) == 1)
      else
        grouped = true
        if redis.call('SADD', group.members, alert.fingerprint) == 1 then
          joined = joined + 1
          redis.call('HINCRBY', KEYS[3], alert.fingerprint, 1)
        end
        if not exists then
          local due = not calm and now - alert.starts > group.wait and now or now + group.wait
          redis.call('HSET', group.hash, 'route', group.route, 'key', group.key, 'labels', group.labels,
            'receiver', group.receiver, 'createdAt', ARGV[1])
          redis.call('ZADD', KEYS[5], due, group.id)
          made = made + 1
          if soonest == -1 or due < soonest then soonest = due end
        end
      end
    end
    if not grouped then redis.call('ZADD', KEYS[4], forgetAt, alert.fingerprint) end
  end
end

local function write(key, pairsOf)
  local flat = {}
  for fingerprint, value in pairs(pairsOf) do
    flat[#flat + 1] = fingerprint
    flat[#flat + 1] = value
  end
  if #flat > 0 then redis.call('HSET', key, unpack(flat)) end
end
write(KEYS[2], newTimes)
write(KEYS[1], newBodies)
write(KEYS[11], newDigests)

local moved, changed = {}, {}
for fingerprint in pairs(newTimes) do
  local list = newBodies[fingerprint] and changed or moved
  list[#list + 1] = fingerprint
end
if joined > 0 then redis.call('HINCRBY', KEYS[10], 'joined', joined) end

if #moved + #changed > 0 then
  redis.call('XADD', KEYS[7], 'MAXLEN', '~', KEPT_CHANGES, '*', 'moved', table.concat(moved, ' '),
    'changed', table.concat(changed, ' '), 'gone', '')
end
return { fresh, seen, late, joined, made, soonest, version, refused.alerts, refused.groups, refused.members }
