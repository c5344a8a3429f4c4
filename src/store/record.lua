--[[
  Writes down how a turn ended, in one step with what follows from it.

  KEYS[1..7]   group, members, times, references, collectable, due, ledger
  KEYS[8..12]  nflog, outbox, owed, row, deliveries
  KEYS[13..15] incident of the group, dead, dead letter
  KEYS[16..19] suspect, destination, line, flight
  KEYS[20..]   rows of what is owed in its place

  ARGV  row id; its turn; now, epoch ms; group id; integration
        how it ended: told | dropped | retry | back | dead; the ledger's word for it ('' for retry and back)
        notification log entry as JSON or '' (told, dead); what is given up as JSON or '' (dead); its time to live, ms
        when to try again, epoch ms, and attempts made (retry); whether the attempt may have arrived: 1 or 0
        delivery log entry as JSON or ''; prefix of incident keys; timeline entry as JSON or ''
        dead letter as JSON or ''; how long one is kept, ms; when a released alert may be forgotten, epoch ms;
        id of the next notification, should news have come meanwhile
        1 where the group keeps its resolved alerts for the next flush, else 0
        what it says of the destination: '' nothing | good | answered | bad; until when it asked to be left alone, epoch ms or 0
        key prefix of rows
        number owed in its place, then for each as `takeOwings` has it

  Returns { 1 where the turn was the newest, else 0; 1 where the row is owed once more, now or later;
            failures in a row of the destination that its breaker is open for, or 0; then the ids of rows to wake }
]]
--- with release
--- with owe
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local group, members, times, references, collectable, due, ledger = unpack(KEYS, 1, 7)
local nflog, outbox, owed, row, deliveries, incidentOf, dead, deadLetter = unpack(KEYS, 8, 15)
local suspect, destination, line, flight = unpack(KEYS, 16, 19)
local id, turn, now, groupId, integration = take(), take(), tonumber(take()), take(), take()
local how, word, entry, givenUp, ttl, retryAt, attempts, unconfirmed =
  take(), take(), take(), take(), take(), take(), take(), take()
local log, prefix, timeline, letter, keptFor, forgetAt = take(), take(), take(), take(), tonumber(take()), take()
local nextNotification, keepsResolved, standing, asked, rowPrefix = take(), take(), take(), tonumber(take()), take()
local owings = takeOwings(take, 20)

local FAILURES = 5 -- in a row open the breaker
local SHORTEST, LONGEST = 10000, 300000 -- ms that it is open

redis.call('ZREM', flight, id)
local held, state, again = unpack(redis.call('HMGET', row, 'turn', 'state', 'again'))
if held ~= turn or (state ~= 'sending' and state ~= 'claimed') then return { 0, 0, 0 } end
if redis.call('GET', suspect) == id then redis.call('DEL', suspect) end

local opened, woken = 0, {}
if standing ~= '' then
  if standing == 'bad' then
    local failures = redis.call('HINCRBY', destination, 'failures', 1)
    redis.call('HSET', destination, 'streak', 0)
    if failures >= FAILURES then
      opened = failures
      redis.call('HSET', destination, 'open', now + math.min(LONGEST, SHORTEST * 2 ^ (failures - FAILURES)))
    end
  else
    redis.call('HSET', destination, 'failures', 0)
    redis.call('HDEL', destination, 'open')
    if standing == 'good' then redis.call('HINCRBY', destination, 'streak', 1) end
  end
  if asked > tonumber(redis.call('HGET', destination, 'asked') or 0) then redis.call('HSET', destination, 'asked', asked) end
  redis.call('PEXPIRE', destination, 86400000)
  if opened == 0 and asked <= now then -- there is room for who waited for it
    for _, other in ipairs(redis.call('ZRANGE', line, 0, 1)) do
      local what = redis.call('HGET', rowPrefix .. other, 'waitsFor')
      if what == 'flight' or what == 'breaker' then
        redis.call('ZADD', owed, now, other)
        woken[#woken + 1] = other
      end
    end
  end
end

if log ~= '' then redis.call('XADD', deliveries, 'MAXLEN', '~', 10000, '*', 'entry', log) end
if timeline ~= '' then
  local incident = redis.call('GET', incidentOf)
  if incident then redis.call('RPUSH', prefix .. incident .. ':timeline', timeline) end
end

if how == 'retry' then
  redis.call('HSET', row, 'state', 'owed', 'starts', 0, 'attempt', attempts, 'unconfirmed', unconfirmed)
  redis.call('ZADD', owed, retryAt, id)
  return { 1, 1, opened, unpack(woken) }
end
if how == 'back' then
  redis.call('HSET', row, 'state', 'owed', 'starts', 0)
  redis.call('ZADD', owed, now, id)
  return { 1, 1, opened, unpack(woken) }
end

redis.call('HINCRBY', ledger, word, 1)
if entry ~= '' then
  redis.call('HSET', nflog, integration, entry)
  redis.call('PEXPIRE', nflog, ttl)
end
if how == 'dead' then
  if givenUp ~= '' then
    redis.call('HSET', nflog, 'dead:' .. integration, givenUp)
    redis.call('PEXPIRE', nflog, ttl)
  end
  redis.call('ZREMRANGEBYSCORE', dead, '-inf', now - keptFor)
  redis.call('ZADD', dead, now, id)
  redis.call('SET', deadLetter, letter, 'PX', keptFor)
  for _, owing in ipairs(owings) do
    if owe(groupId, outbox, owed, ledger, now, owing) then woken[#woken + 1] = owing.rowId end
  end
elseif how == 'told' then -- what was given up before has been overtaken
  redis.call('HDEL', nflog, 'dead:' .. integration)
  redis.call('ZREM', dead, id)
  redis.call('DEL', deadLetter)
end
if redis.call('EXISTS', group) == 1 then redis.call('HSET', group, 'verdict:' .. integration, now .. ' ' .. word) end

redis.call('ZREM', line, id)
if again == '1' then -- news came after this turn had read the group
  redis.call('HINCRBY', ledger, 'owed', 1)
  redis.call('HSET', row, 'state', 'owed', 'attempt', 0, 'starts', 0, 'again', '0', 'unconfirmed', '0', 'owedAt', now,
    'notification', nextNotification)
  redis.call('HDEL', row, 'content', 'fellBack')
  redis.call('ZADD', owed, now, id)
  return { 1, 1, opened, unpack(woken) }
end
redis.call('DEL', row)
redis.call('ZREM', owed, id)
redis.call('SREM', outbox, integration)
if keepsResolved == '1' then redis.call('HDEL', group, 'resolved') end -- the others' ends do not let go of them either
if redis.call('SCARD', outbox) == 0 then
  local resolved = redis.call('HGET', group, 'resolved')
  if resolved then
    release(groupId, group, members, times, references, collectable, due, ledger, nflog, resolved, forgetAt)
  end
end
return { 1, 0, opened, unpack(woken) }
