--[[
  Ends a flush in one step: what is owed goes into the outbox, the notification log and the incident
  follow, and the group gets its next time, or is gone.

  KEYS[1..7]   group, members, times, references, collectable, due, ledger
  KEYS[8..10]  nflog, outbox, owed
  KEYS[11..13] incidents, incident of the group, group of the key that PagerDuty knows it by
  KEYS[14..]   rows of what is owed

  ARGV  group id; claim; now; next due; when a released alert may be forgotten: epoch ms
        resolved alerts of this flush, as `release` takes them
        time to live of the notification log, ms; 1 where it starts anew, though nothing is written
        names of the time intervals that mute the group as a JSON list, or ''
        incident: '' | open | resolve; prefix of incident keys; reopen within, ms; its fields as JSON;
          what to write into its timeline as JSON for opened, reopened and resolved
        number of entries for the notification log, then for each: field, JSON
        the route's group interval, ms
        number of verdicts, then for each: integration, why it is told nothing or 'owed'
        number owed, then for each as `takeOwings` has it
        key prefixes of destinations, lines and flights; then for each owed: where it goes, if that is known before its message is:
          the destination's name or '', digest of who reads it there, most attempts at a time

  Returns { 1 where the claim still held, else 0; 1 where the group is gone; what became of the incident or '';
            its id or ''; the ids of rows that joined the line of their destination; those of the rows to wake }
]]
--- with release
--- with owe
--- with line
local KEPT_INCIDENTS = 10000

local group, members, times, references, collectable, due, ledger = unpack(KEYS, 1, 7)
local nflog, outbox, owed, incidents, incidentOf, groupOfDedup = unpack(KEYS, 8, 13)
local id, claim, now, nextDue, forgetAt, resolved, ttl = unpack(ARGV, 1, 7)
local renews, mutedBy = ARGV[8], ARGV[9]
local verb, prefix, reopenWithin, fields, opened, reopened, closed = unpack(ARGV, 10, 16)

if redis.call('HGET', group, 'claim') ~= claim then return { 0, 0, '', '', {}, {} } end

local at = 17
local function take()
  at = at + 1
  return ARGV[at - 1]
end

local entries = tonumber(take())
for _ = 1, entries do redis.call('HSET', nflog, take(), take()) end
if entries > 0 or renews == '1' then redis.call('PEXPIRE', nflog, ttl) end

redis.call('HSET', group, 'flushedAt', now, 'interval', take())
for _ = 1, tonumber(take()) do redis.call('HSET', group, 'verdict:' .. take(), now .. ' ' .. take()) end

local woken, stood = {}, {}
local owings = takeOwings(take, 14)
local destinationPrefix, linePrefix, flightPrefix = take(), take(), take()

-- Where the air is full, and others stand in line already, a new row joins them, to be woken in its turn: waking it now would only
-- do that.
local function joins(owing, name, audience, most)
  if name == '' then return false end
  local line, rank = linePrefix .. name, tonumber(owing.rank)
  local place = placeOf(rank, tonumber(now))
  local first = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')[2]
  if not first or tonumber(first) >= tonumber(place) then return false end
  local free =
    whenRoom(destinationPrefix .. name, flightPrefix .. name, line, owing.rowId, tonumber(now), most, rank, place)
  if not free then return false end
  stand(owing.row, owed, line, owing.rowId, place, free, 'flight', 1, name, audience)
  return true
end

for _, owing in ipairs(owings) do
  local name, audience, most = take(), take(), tonumber(take())
  local wakes, isNew = owe(id, outbox, owed, ledger, now, owing)
  if isNew and joins(owing, name, audience, most) then
    stood[#stood + 1] = owing.rowId
  elseif wakes then
    woken[#woken + 1] = owing.rowId
  end
end

local became, incident = '', ''
if verb ~= '' then
  incident = redis.call('GET', incidentOf) or ''
  local hash = prefix .. incident
  local state = incident ~= '' and redis.call('HGET', hash, 'state')
  if verb == 'open' then
    redis.call('PERSIST', incidentOf)
    redis.call('SET', groupOfDedup, id)
  end
  if verb == 'open' and (state == 'open' or state == 'acknowledged') then
    redis.call('HSET', group, 'incident', incident)
  elseif verb == 'open' then
    local resolvedAt = state == 'resolved' and tonumber(redis.call('HGET', hash, 'resolvedAt'))
    if resolvedAt and tonumber(now) - resolvedAt <= tonumber(reopenWithin) then
      became = 'reopened'
      redis.call('HSET', hash, 'state', 'open')
      redis.call('HDEL', hash, 'resolvedAt', 'acknowledgedAt', 'acknowledgedBy')
      redis.call('RPUSH', hash .. ':timeline', reopened)
    else
      became = 'opened'
      incident = tostring(redis.call('INCR', prefix .. 'last'))
      hash = prefix .. incident
      redis.call('HSET', hash, 'id', incident, 'state', 'open', 'group', id, 'createdAt', now, 'fields', fields)
      redis.call('RPUSH', hash .. ':timeline', opened)
      redis.call('SET', incidentOf, incident)
      redis.call('ZADD', incidents, now, incident)
      local oldest = redis.call('ZRANGE', incidents, 0, 0)[1]
      if redis.call('ZCARD', incidents) > KEPT_INCIDENTS and redis.call('HGET', prefix .. oldest, 'state') == 'resolved' then
        redis.call('DEL', prefix .. oldest, prefix .. oldest .. ':timeline')
        redis.call('ZREM', incidents, oldest)
      end
    end
    redis.call('HSET', group, 'incident', incident)
  elseif verb == 'resolve' then
    if state == 'open' or state == 'acknowledged' then
      became = 'resolved'
      redis.call('HSET', hash, 'state', 'resolved', 'resolvedAt', now)
      redis.call('RPUSH', hash .. ':timeline', closed)
    end
    redis.call('HDEL', group, 'incident')
    redis.call('PEXPIRE', incidentOf, reopenWithin) -- later than that it would not be reopened
    -- two routes may give their groups the same key
    if redis.call('GET', groupOfDedup) == id then redis.call('PEXPIRE', groupOfDedup, reopenWithin) end
  end
end

redis.call('HSET', group, 'resolved', resolved)
if mutedBy == '' then redis.call('HDEL', group, 'mutedBy') else redis.call('HSET', group, 'mutedBy', mutedBy) end
redis.call('HDEL', group, 'claim', 'dueSince')
local gone = 0
if redis.call('SCARD', outbox) == 0 then
  gone = release(id, group, members, times, references, collectable, due, ledger, nflog, resolved, forgetAt)
end
if gone == 0 then redis.call('ZADD', due, nextDue, id) end
return { 1, gone, became, incident, stood, woken }
