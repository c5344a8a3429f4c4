--[[
  Claims an outbox row for one turn: it must be owed and due, and nobody else may be at it. A row found claimed after its
  lease ended was being worked on by an engine that died or froze; found sending, its attempt may have arrived. A row that
  has cost two turns so is suspected of killing engines: those run one at a time, so that only the guilty one collects more.

  KEYS  row, owed, suspect, alerts, times, versions, sourced, destination, line, flight
  ARGV  row id; now, epoch ms; end of the lease, epoch ms; 1 where the turns before ended with Redis, not with an engine;
        key prefixes of groups, members, nflog and outbox
        where it goes, if that is known before its message is: the destination's name or '', digest of who reads it there, most
          attempts at a time, until what age it may wait there unread, ms; what waits for its place in the air is not claimed only to
          find out

  Returns { the row as name, value … with its new turn (the fencing number) and `starts`, the turns without an end including
            this one; its group, as `readGroup` does; how far silences and inhibitions have got: epoch, silences, rules; rules
            with sources as name, count … },
          { the row } where another suspect runs and it was not claimed;
          { the row, how many stand before it } where it stands in line for its destination; or nothing.
]]
--- with group
--- with line
local id, now, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local state, turn, starts = unpack(redis.call('HMGET', KEYS[1], 'state', 'turn', 'starts'))
if not state then
  redis.call('ZREM', KEYS[2], id)
  return {}
end
turn, starts = tonumber(turn or 0), ARGV[4] == '1' and 0 or tonumber(starts or 0)
local due = tonumber(redis.call('ZSCORE', KEYS[2], id) or now)
if due > now then return {} end -- not yet, or another's lease holds

local name, audience, most, unread = ARGV[9], ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12])
if name ~= '' and state == 'owed' and starts == 0 then
  local rank, owedAt, newsAt, unconfirmed = unpack(redis.call('HMGET', KEYS[1], 'rank', 'owedAt', 'newsAt', 'unconfirmed'))
  rank = tonumber(rank)
  local place = placeOf(rank, tonumber(owedAt))
  -- of what may have arrived the channel is asked first
  local free, mayTake = whenRoom(KEYS[8], KEYS[10], KEYS[9], id, now, most, rank, place)
  local isPlain = mayTake and now - tonumber(newsAt) < unread and unconfirmed ~= '1'
  if isPlain and free then
    stand(KEYS[1], KEYS[2], KEYS[9], id, place, free, 'flight', 1, name, audience)
    redis.call('HINCRBY', KEYS[1], 'turn', 1) -- the job that wakes it then is another
    return { redis.call('HGETALL', KEYS[1]), redis.call('ZRANK', KEYS[9], id) }
  elseif isPlain then -- else others would be read only to find that this one was quicker
    redis.call('HSET', KEYS[1], 'destination', name)
    redis.call('ZADD', KEYS[10], lease, id)
    redis.call('PEXPIRE', KEYS[10], KEPT)
  end
end

if state == 'sending' then redis.call('HSET', KEYS[1], 'unconfirmed', '1') end
if starts >= 2 then
  local holder = redis.call('GET', KEYS[3])
  if holder and holder ~= id then
    redis.call('ZADD', KEYS[2], now + 1000, id)
    redis.call('HINCRBY', KEYS[1], 'turn', 1) -- the job that wakes it then is another
    return { redis.call('HGETALL', KEYS[1]) }
  end
  redis.call('SET', KEYS[3], id, 'PX', math.max(1, lease - now))
end
redis.call('HSET', KEYS[1], 'state', 'claimed', 'turn', turn + 1, 'starts', starts + 1, 'again', '0')
redis.call('HDEL', KEYS[1], 'waitsUntil', 'waitsFor')
redis.call('ZADD', KEYS[2], lease, id)
local group = redis.call('HGET', KEYS[1], 'group')
return {
  redis.call('HGETALL', KEYS[1]),
  readGroup(ARGV[5] .. group, ARGV[6] .. group, KEYS[4], KEYS[5], ARGV[7] .. group, ARGV[8] .. group),
  redis.call('HMGET', KEYS[6], 'epoch', 'silences', 'rules'),
  redis.call('HGETALL', KEYS[7]),
}
