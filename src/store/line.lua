-- Who has to wait for a destination stands in its line: the gravest first, then by age.
local RANK = 1e14 -- a graver one stands before all of the next rank
local KEPT = 86400000

local function placeOf(rank, owedAt) return string.format('%.0f', math.min(rank, 50) * RANK + owedAt) end

-- How many that are graver stand in line.
local function graverIn(line, rank)
  if rank == 0 then return 0 end
  return redis.call('ZCOUNT', line, '-inf', string.format('(%.0f', math.min(rank, 50) * RANK))
end

-- Where a destination has as many attempts in the air as it takes: when the first of them is over at the latest; else nil. Room is
-- kept for what is graver only: those of its own rank that stand in line are woken one by one as there is room, and if the next that
-- comes stood behind them, nearly every row of a storm would have to come twice. Its own place in the air counts for none.
local function whenFree(flight, line, id, now, most, streak, rank)
  redis.call('ZREMRANGEBYSCORE', flight, '-inf', now)
  local flying = redis.call('ZCARD', flight)
  if redis.call('ZSCORE', flight, id) then flying = flying - 1 end
  if flying == 0 then return nil end
  if flying + graverIn(line, rank) < math.min(most, 2 + streak) then return nil end
  return tonumber(redis.call('ZRANGE', flight, 0, 0, 'WITHSCORES')[2])
end

-- `what` it waits for: budget | asked | breaker | flight.
local function stand(row, owed, line, id, place, at, what, cost, name, audience)
  redis.call('HSET', row, 'state', 'owed', 'waitsUntil', at, 'waitsFor', what, 'cost', cost, 'destination', name,
    'audience', audience)
  redis.call('ZADD', owed, at, id)
  redis.call('ZADD', line, place, id)
  redis.call('PEXPIRE', line, KEPT)
end
