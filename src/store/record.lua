--[[
  Writes down how an attempt ended, in one step with what follows from it.

  KEYS[1..6]   group, members, times, references, collectable, due
  KEYS[7..11]  nflog, outbox, owed, row, deliveries
  KEYS[12..14] incident of the group, dead, dead letter

  ARGV  row id; fencing token ('<notification id> <attempt>'); now, epoch ms; group id; integration
        how it ended: told | dropped | retry | back | dead
        notification log entry as JSON or '' (told, dead); what is given up as JSON or '' (dead); its time to live, ms
        when to try again, epoch ms (retry); whether the attempt may have arrived: 1 or 0
        delivery log entry as JSON; prefix of incident keys; timeline entry as JSON or ''
        dead letter as JSON or ''; when a released alert may be forgotten, epoch ms;
        id of the next notification, should news have come meanwhile
        1 where the group keeps its resolved alerts for the next flush, else 0

  Returns { 1 where the attempt was the newest, else 0; 1 where the row is owed once more, now or later }
]]
--- with release
local KEEP_DEAD = 30 * 24 * 3600000

local group, members, times, references, collectable, due = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local nflog, outbox, owed, row, deliveries = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local incidentOf, dead, deadLetter = KEYS[12], KEYS[13], KEYS[14]
local id, fence, now, groupId, integration, how, entry, givenUp, ttl, retryAt, unconfirmed = unpack(ARGV, 1, 11)
local log, prefix, timeline, letter, forgetAt, nextNotification, keepsResolved = unpack(ARGV, 12, 18)

local notification, attempt, state, again = unpack(redis.call('HMGET', row, 'notification', 'attempt', 'state', 'again'))
if state ~= 'sending' or notification .. ' ' .. attempt ~= fence then return { 0, 0 } end

if log ~= '' then redis.call('XADD', deliveries, 'MAXLEN', '~', 10000, '*', 'entry', log) end
if timeline ~= '' then
  local incident = redis.call('GET', incidentOf)
  if incident then redis.call('RPUSH', prefix .. incident .. ':timeline', timeline) end
end

if how == 'retry' then
  redis.call('HSET', row, 'state', 'owed', 'unconfirmed', unconfirmed)
  redis.call('ZADD', owed, retryAt, id)
  return { 1, 1 }
end

if how == 'back' then
  redis.call('HSET', row, 'state', 'owed')
  redis.call('HINCRBY', row, 'attempt', -1)
  redis.call('ZADD', owed, now, id)
  return { 1, 1 }
end

if entry ~= '' then
  redis.call('HSET', nflog, integration, entry)
  redis.call('PEXPIRE', nflog, ttl)
end
if how == 'dead' then
  if givenUp ~= '' then
    redis.call('HSET', nflog, 'dead:' .. integration, givenUp)
    redis.call('PEXPIRE', nflog, ttl)
  end
  redis.call('ZREMRANGEBYSCORE', dead, '-inf', now - KEEP_DEAD)
  redis.call('ZADD', dead, now, id)
  redis.call('SET', deadLetter, letter, 'PX', KEEP_DEAD)
elseif how == 'told' then -- what was given up before has been overtaken
  redis.call('HDEL', nflog, 'dead:' .. integration)
  redis.call('ZREM', dead, id)
  redis.call('DEL', deadLetter)
end

if again == '1' then -- news came after this attempt had read the group
  redis.call('HSET', row, 'state', 'owed', 'attempt', 0, 'again', '0', 'unconfirmed', '0', 'owedAt', now,
    'notification', nextNotification)
  redis.call('ZADD', owed, now, id)
  return { 1, 1 }
end
redis.call('DEL', row)
redis.call('ZREM', owed, id)
redis.call('SREM', outbox, integration)
if keepsResolved == '1' then redis.call('HDEL', group, 'resolved') end -- the others' ends do not let go of them either
if redis.call('SCARD', outbox) == 0 then
  local resolved = redis.call('HGET', group, 'resolved')
  if resolved then release(groupId, group, members, times, references, collectable, due, nflog, resolved, forgetAt) end
end
return { 1, 0 }
