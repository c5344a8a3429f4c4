--[[
  Writes down how a turn ended, in one step with what follows from it.

  KEYS[1..7]   group, members, times, references, collectable, due, ledger
  KEYS[8..12]  nflog, outbox, owed, row, deliveries
  KEYS[13..15] incident of the group, dead, dead letter
  KEYS[16]     suspect
  KEYS[17..]   rows of what is owed in its place

  ARGV  row id; its turn; now, epoch ms; group id; integration
        how it ended: told | dropped | retry | back | dead; the ledger's word for it ('' for retry and back)
        notification log entry as JSON or '' (told, dead); what is given up as JSON or '' (dead); its time to live, ms
        when to try again, epoch ms, attempts made, and how grave it was taken for (retry); whether the attempt may have arrived: 1 or 0,
          the digest of what that told, and how it ended, in words
        delivery log entry as JSON or ''; prefix of incident keys; timeline entry as JSON or ''
        dead letter as JSON or ''; how long one is kept, ms; when a released alert may be forgotten, epoch ms;
        id of the next notification, should news have come meanwhile
        1 where the group keeps its resolved alerts for the next flush, else 0
        the destination that was tried or ''; what it says of it: '' nothing | good | answered | bad; until when it asked to be
          left alone, epoch ms or 0; 1 where the row is to be in no digest, else 0
        key prefixes of rows, destinations, lines and flights
        number owed in its place, then for each as `takeOwings` has it

  Returns { 1 where the turn was the newest, else 0; 1 where the row is owed once more, now or later;
            failures in a row of the destination that its breaker is open for, or 0;
            then the rows to wake, as `listWake` has them }
]]
--- with release
--- with owe
--- with line
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local group, members, times, references, collectable, due, ledger = unpack(KEYS, 1, 7)
local nflog, outbox, owed, row, deliveries, incidentOf, dead, deadLetter = unpack(KEYS, 8, 15)
local suspect = KEYS[16]
local id, turn, now, groupId, integration = take(), take(), tonumber(take()), take(), take()
local how, word, entry, givenUp, ttl, retryAt, attempts, rank, unconfirmed, content, said =
  take(), take(), take(), take(), take(), take(), take(), tonumber(take()), take(), take(), take()
local log, prefix, timeline, letter, keptFor, forgetAt = take(), take(), take(), take(), tonumber(take()), take()
local nextNotification, keepsResolved, name, standing, asked, alone = take(), take(), take(), take(), tonumber(take()), take()
local rowPrefix, destinationPrefix, linePrefix, flightPrefix = take(), take(), take(), take()
local owings = takeOwings(take, 17)

local FAILURES = 5 -- in a row open the breaker
local SHORTEST, LONGEST = 10000, 300000 -- ms that it is open

if name ~= '' then redis.call('ZREM', flightPrefix .. name, id) end
local held, state, again, stoodFor = unpack(redis.call('HMGET', row, 'turn', 'state', 'again', 'destination'))
if held ~= turn or (state ~= 'sending' and state ~= 'claimed') then return { 0, 0, 0 } end
if redis.call('GET', suspect) == id then redis.call('DEL', suspect) end
if stoodFor then
  redis.call('ZREM', linePrefix .. stoodFor, id)
  redis.call('ZREM', flightPrefix .. stoodFor, id)
end

local opened, woken = 0, {}
local destination = destinationPrefix .. name
if standing == 'bad' then redis.call('HSET', destination, 'streak', 0) end
-- those that were in the air when it opened say nothing new
if standing == 'bad' and tonumber(redis.call('HGET', destination, 'open') or 0) <= now then
  local failures = redis.call('HINCRBY', destination, 'failures', 1)
  if failures >= FAILURES then
    opened = failures
    redis.call('HSET', destination, 'open', now + math.min(LONGEST, SHORTEST * 2 ^ (failures - FAILURES)))
  end
elseif standing == 'good' or standing == 'answered' then
  redis.call('HSET', destination, 'failures', 0)
  redis.call('HDEL', destination, 'open')
  if standing == 'good' then redis.call('HINCRBY', destination, 'streak', 1) end
end
if asked > tonumber(name ~= '' and redis.call('HGET', destination, 'asked') or 0) then
  redis.call('HSET', destination, 'asked', asked)
end
if standing ~= '' or asked > 0 then redis.call('PEXPIRE', destination, 86400000) end

-- who is next there may come sooner than it was told: others have left the line, or there is room
local where = name ~= '' and name or stoodFor
if where and opened == 0 and asked <= now then
  local line = linePrefix .. where
  local tokensText, sinceText, burst, refill =
    unpack(redis.call('HMGET', destinationPrefix .. where, 'tokens', 'at', 'burst', 'refill'))
  local needed, waiting = 0, 0
  for _, other in ipairs(redis.call('ZRANGE', line, 0, 9)) do
    if waiting == 2 then break end
    local what, cost, there, ofRow = unpack(redis.call('HMGET', rowPrefix .. other, 'waitsFor', 'cost', 'destination', 'state'))
    if not ofRow or (there and there ~= where) then
      redis.call('ZREM', line, other) -- it is over, or stands elsewhere
    else
      waiting = waiting + 1
      local when = now
      if what == 'budget' and refill then
        local tokens = math.min(tonumber(burst), tonumber(tokensText) + math.max(0, now - tonumber(sinceText)) / tonumber(refill))
        needed = needed + tonumber(cost or 1)
        when = now + math.max(0, math.ceil((math.min(needed, tonumber(burst)) - tokens) * tonumber(refill)))
      end
      local due = tonumber(redis.call('ZSCORE', owed, other) or 0)
      -- of those that wait for a place in the air none but the first has a job of its own
      if what == 'flight' or ((what == 'budget' or what == 'breaker') and due > when) then
        hasten(woken, rowPrefix, owed, other, what, when)
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
  redis.call('HSET', row, 'state', 'owed', 'starts', 0, 'attempt', attempts, 'unconfirmed', unconfirmed, 'content', content,
    'alone', alone, 'said', said)
  redis.call('HDEL', row, 'waited')
  redis.call('ZADD', owed, retryAt, id)
  if tonumber(redis.call('HGET', row, 'rank')) < rank then -- graver news came meanwhile: it does not wait
    redis.call('ZADD', owed, now, id)
    listWake(woken, rowPrefix, id, now)
  end
  return { 1, 1, opened, unpack(woken) }
end
if how == 'back' then
  redis.call('HSET', row, 'state', 'owed')
  redis.call('HINCRBY', row, 'starts', -1)
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
    if owe(groupId, outbox, owed, ledger, now, owing) then listWake(woken, rowPrefix, owing.rowId, now) end
  end
elseif word == 'delivered' then -- what was given up before has been overtaken
  redis.call('HDEL', nflog, 'dead:' .. integration)
  redis.call('ZREM', dead, id)
  redis.call('DEL', deadLetter)
end
if redis.call('EXISTS', group) == 1 then redis.call('HSET', group, 'verdict:' .. integration, now .. ' ' .. word) end

if again == '1' then -- news came after this turn had read the group
  redis.call('HINCRBY', ledger, 'owed', 1)
  redis.call('HSET', row, 'state', 'owed', 'attempt', 0, 'starts', 0, 'again', '0', 'unconfirmed', '0', 'owedAt', now,
    'newsAt', now, 'notification', nextNotification, 'afterDead', how == 'dead' and '1' or '0')
  redis.call('HDEL', row, 'content', 'fellBack', 'alone', 'said', 'waited')
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
