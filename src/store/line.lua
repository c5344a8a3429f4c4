-- Who has to wait for a destination stands in its line: the gravest first, then by age.
local RANK = 1e14 -- a graver one stands before all of the next rank
local KEPT = 86400000

local function placeOf(rank, owedAt) return string.format('%.0f', math.min(rank, 50) * RANK + owedAt) end

-- How many stand in line for which room is kept: those that are graver, and those of its own rank before it where one has stood for
-- long. Else these are woken one by one as there is room: if the next that comes stood behind them, nearly every row of a storm would
-- have to come twice.
local LONG = 30000
local function keptFor(line, rank, place, now)
  local own = math.min(rank, 50) * RANK
  local oldest = redis.call('ZRANGEBYSCORE', line, string.format('%.0f', own), '(' .. place, 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if oldest and now - (tonumber(oldest) - own) > LONG then return redis.call('ZCOUNT', line, '-inf', '(' .. place) end
  if rank == 0 then return 0 end
  return redis.call('ZCOUNT', line, '-inf', string.format('(%.0f', own))
end

-- Where a destination has as many attempts in the air as it takes, its own place not counted: when the first of them is over at the
-- latest; else nil.
local function whenFree(flight, line, id, now, most, streak, rank, place)
  redis.call('ZREMRANGEBYSCORE', flight, '-inf', now)
  local flying = redis.call('ZCARD', flight)
  if redis.call('ZSCORE', flight, id) then flying = flying - 1 end
  if flying == 0 then return nil end
  if flying + keptFor(line, rank, place, now) < math.min(most, 2 + streak) then return nil end
  return tonumber(redis.call('ZRANGE', flight, 0, 0, 'WITHSCORES')[2])
end

-- The same of a destination that may take something now; and whether it may: it asked for nothing else, and its breaker is closed.
local function whenRoom(destination, flight, line, id, now, most, rank, place)
  local asked, open, streak = unpack(redis.call('HMGET', destination, 'asked', 'open', 'streak'))
  if open or tonumber(asked or 0) > now then return nil, false end
  return whenFree(flight, line, id, now, most, tonumber(streak or 0), rank, place), true
end

-- `what` it waits for: budget | asked | breaker | flight.
local function stand(row, owed, line, id, place, at, what, cost, name, audience)
  redis.call('HSET', row, 'state', 'owed', 'waitsUntil', at, 'waitsFor', what, 'waited', what, 'cost', cost,
    'destination', name, 'audience', audience)
  redis.call('ZADD', owed, at, id)
  redis.call('ZADD', line, place, id)
  redis.call('PEXPIRE', line, KEPT)
end

-- Lists a row to be woken, as its id, when, and what its job needs to know.
local function listWake(woken, rowPrefix, other, when)
  woken[#woken + 1] = other
  woken[#woken + 1] = tostring(when)
  for _, word in ipairs(redis.call('HMGET', rowPrefix .. other, 'channel', 'integration', 'notification', 'turn', 'rank')) do
    woken[#woken + 1] = word or ''
  end
end

-- A row that stands in line comes at another time than it was told.
local function hasten(woken, rowPrefix, owed, other, what, when)
  if what == 'flight' then redis.call('HDEL', rowPrefix .. other, 'waitsFor') end -- once
  redis.call('ZADD', owed, when, other)
  redis.call('HINCRBY', rowPrefix .. other, 'turn', 1) -- a job for later has this turn's name already
  listWake(woken, rowPrefix, other, when)
end
