--[[
  Merges alerts with what is known of them and puts them into their groups, by Alertmanager's rules
  (alert.Merge; dispatch.groupAlert). Repeatable: the same call again changes nothing but update times.

  KEYS[1..12] alerts, times, references, collectable, due, indexed, changes, versions, sourced, ledger, digests, grave

  ARGV  now, epoch ms
        when a resolved alert without a group may be forgotten, epoch ms
        1 where resolved alerts make and join groups as others do, else 0
        1 where an old alert does not make its group due at once, else 0
        1 where the alerts are known ones that get other groups, else 0: then what is known of them stays as it is
        key prefixes of places, of what is occupied, of groups and of members
        how many alerts, groups, and alerts in a group there may be, 0: any number
        fingerprint and group of the canary, which takes up no room
        what this call's writing of times is known by
        1 where the sender gave up on the call, and may have told the end of what fires in it since, else 0
        number of groups; how long the parts of each are, as words; all of the parts as one text, for each: id, group
          wait in ms, route id, group key, group labels as JSON, receiver
        number of alerts; how long their parts are; the parts, for each: fingerprint,
          entry of `digests`, entry of `times`, 1 where it is resolved or 0, 1 where it is one of the gravest or 0, body, and as words: number of its groups, which of
          them from 1, number of its places, the places

  Returns { new, changed or repeated, late copies dropped, joined a group, groups made, soonest due of those or -1,
            the version of the inhibitions, not taken since there are too many alerts, groups, alerts in a group }
]]
--- with place
local now, forgetAt, exact, calm = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1', ARGV[4] == '1'
local regroups, placePrefix, occupiedPrefix, groupPrefix, membersPrefix = ARGV[5] == '1', ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local mostAlerts, mostGroups, mostMembers = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local canary, canaryGroup, writer, belated = ARGV[13], ARGV[14], ARGV[15], ARGV[16] == '1'
local LATE_COPY = 60000
local KEPT_CHANGES = 1000

-- gives one part after the other
local function reader(lengths, parts)
  local nextLength, from = string.gmatch(lengths, '%d+'), 1
  return function(length)
    length = length or tonumber(nextLength())
    from = from + length
    return string.sub(parts, from - length, from - 1)
  end
end

local groups = {}
do
  local part = reader(ARGV[18], ARGV[19])
  for i = 1, tonumber(ARGV[17]) do
    local id = part()
    groups[i] = {
      id = id, wait = tonumber(part()), route = part(), key = part(), labels = part(), receiver = part(),
      hash = groupPrefix .. id, members = membersPrefix .. id,
    }
  end
end

local version = (redis.call('HGET', KEYS[8], 'epoch') or '') .. ' ' .. (redis.call('HGET', KEYS[8], 'rules') or '0')

-- starts, ends (0: none), updated, ended by (s, t or r), both as texts ('-' where they print as their instant)
local function readTimes(alert, text)
  local starts, ends, updated, by, startsText, endsText = string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
  alert.starts, alert.ends, alert.updated, alert.by = tonumber(starts), tonumber(ends), tonumber(updated), by
  alert.startsText, alert.endsText = startsText, endsText
  return alert
end

-- most alerts of a request are in the same few groups, and in no place
local memberships = {}
local function readMembership(text)
  local read = memberships[text]
  if not read then
    read = { groups = {}, places = {} }
    memberships[text] = read
    local word = string.gmatch(text, '%S+')
    for j = 1, tonumber(word()) do read.groups[j] = groups[tonumber(word())] end
    for j = 1, tonumber(word()) do read.places[j] = word() end
  end
  return read
end

local alerts, fingerprints = {}, {}
do
  local part = reader(ARGV[21], ARGV[22])
  for i = 1, tonumber(ARGV[20]) do
    local alert = {
      fingerprint = part(), said = part(), times = part(), over = part(1) == '1', grave = part(1) == '1', body = part(),
    }
    local membership = readMembership(part())
    alert.groups, alert.places = membership.groups, membership.places
    alerts[i], fingerprints[i] = alert, alert.fingerprint
  end
end
if #alerts == 0 then return { 0, 0, 0, 0, 0, -1, version, 0, 0, 0 } end

local times = redis.call('HMGET', KEYS[2], unpack(fingerprints))
local known = {}
for i, fingerprint in ipairs(fingerprints) do
  if times[i] and not known[fingerprint] then
    known[fingerprint] = readTimes({ said = redis.call('HGET', KEYS[11], fingerprint) or '-' }, times[i])
  end
end

local function ending(alert) return alert.ends == 0 and math.huge or alert.ends end
local function resolved(alert)
  if alert.ends then return ending(alert) <= now end
  return alert.over
end

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
local membersMayFill = mostMembers > 0 and alertCount + #alerts > mostMembers -- else no group can
for _, group in ipairs(groups) do
  group.mayFill = membersMayFill and redis.call('SCARD', group.members) + #alerts > mostMembers
  anyMayFill = anyMayFill or group.mayFill
end

local newReferences = {} -- of alerts that nobody knew: in how many groups they are
local graver = {} -- groups that one of the gravest joins
local newMembers = {} -- group → those in it that nobody knew: written at the end
local function sizeOf(group)
  return redis.call('SCARD', group.members) + (newMembers[group] and #newMembers[group] or 0)
end

-- What there are too many of for an alert to be taken; one that resolves takes no room that it had not before.
local function full(alert, old)
  if not old and alertsMayFill and alertCount + fresh >= mostAlerts then return 'alerts' end
  if resolved(alert) and not exact then return nil end
  local wanted = 0
  for _, group in ipairs(alert.groups) do
    if not group.exists and redis.call('EXISTS', group.hash) == 0 then wanted = wanted + 1
    elseif group.mayFill and sizeOf(group) >= mostMembers
      and not newReferences[alert.fingerprint]
      and redis.call('SISMEMBER', group.members, alert.fingerprint) == 0 then return 'members' end
  end
  if wanted > 0 and groupsMayFill and groupCount + made + wanted > mostGroups then return 'groups' end
end

local newTimes, newBodies, newDigests = {}, {}, {}

local function makeGroup(group, alert)
  if group.exists or redis.call('EXISTS', group.hash) == 1 then
    group.exists = true
    return
  end
  group.exists = true
  local starts = alert.starts or tonumber(string.match(alert.times, '^%S+'))
  local due = not calm and now - starts > group.wait and now or now + group.wait
  redis.call('HSET', group.hash, 'route', group.route, 'key', group.key, 'labels', group.labels,
    'receiver', group.receiver, 'createdAt', ARGV[1])
  redis.call('ZADD', KEYS[5], due, group.id)
  made = made + 1
  if soonest == -1 or due < soonest then soonest = due end
end

local function digestIn(said) return string.match(said, '^%S+') end

for _, alert in ipairs(alerts) do
  local fingerprint = alert.fingerprint
  local old = known[fingerprint]
  if old then
    readTimes(alert, alert.times)
    if not old.ends then readTimes(old, old.times) end -- of this call
  end
  if regroups and old then -- what came since it was read is newer
    alert.starts, alert.ends, alert.by, alert.updated = old.starts, old.ends, old.by, old.updated
    alert.startsText, alert.endsText = old.startsText, old.endsText
    alert.said = digestIn(old.said) .. ' ' .. string.match(alert.said, '%S+$')
  end
  local lacking = anyMayFill and full(alert, old)
  -- another member of the sender's cluster may tell of the same occurrence after its resolve
  if old and not resolved(alert) and resolved(old) and old.starts == alert.starts
    and (belated or (alert.by == 'r' and now - old.updated < LATE_COPY)) then
    late = late + 1
  elseif lacking then
    refused[lacking] = refused[lacking] + 1
  elseif not (regroups and not old) then
    local joins = not resolved(alert) or exact
    if old then
      seen = seen + 1
      if not regroups then merge(old, alert) end
      alert.times = string.format('%d %d %d %s %s %s %s', alert.starts, alert.ends, alert.updated, alert.by,
        alert.startsText, alert.endsText, writer)
      if not regroups and digestIn(old.said) ~= digestIn(alert.said) then newBodies[fingerprint] = alert.body end
      if old.said ~= alert.said then newDigests[fingerprint] = alert.said end
    else
      fresh = fresh + 1
      if #alert.places > 0 then readTimes(alert, alert.times) end
      newBodies[fingerprint], newDigests[fingerprint] = alert.body, alert.said
    end
    known[fingerprint] = alert
    newTimes[fingerprint] = alert.times

    if #alert.places > 0 then
      place(placePrefix, occupiedPrefix, KEYS[6], KEYS[9], alert.places, fingerprint, alert.ends)
    end

    local grouped = false
    if not old and joins then
      -- who was not known is in no group
      for _, group in ipairs(alert.groups) do
        local members = newMembers[group] or {}
        newMembers[group] = members
        members[#members + 1] = fingerprint
        makeGroup(group, alert)
        if alert.grave then graver[group] = true end
      end
      grouped = #alert.groups > 0
      if grouped then newReferences[fingerprint] = #alert.groups end
      joined = joined + #alert.groups
    else
      for _, group in ipairs(alert.groups) do
        if not joins then
          -- whoever never heard of it needs no all-clear: a resolve makes no group and joins none
          grouped = grouped or (redis.call('EXISTS', group.hash) == 1 and
            (redis.call('SISMEMBER', group.members, fingerprint) == 1 or newReferences[fingerprint] ~= nil))
        else
          grouped = true
          if not newReferences[fingerprint] and redis.call('SADD', group.members, fingerprint) == 1 then
            joined = joined + 1
            redis.call('HINCRBY', KEYS[3], fingerprint, 1)
            if alert.grave then graver[group] = true end
          end
          makeGroup(group, alert)
        end
      end
    end
    if not grouped then redis.call('ZADD', KEYS[4], forgetAt, fingerprint) end
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
write(KEYS[3], newReferences)
for group, members in pairs(newMembers) do redis.call('SADD', group.members, unpack(members)) end

for group in pairs(graver) do redis.call('ZADD', KEYS[12], redis.call('ZSCORE', KEYS[5], group.id), group.id) end

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
