--[[
  The last step before a message leaves: asks its destination whether it takes one now, and marks the row as sending. A
  destination has a token bucket, a breaker, a time until which it asked to be left alone, and so many attempts at a time;
  who has to wait stands in its line, the gravest first, then by age.

  KEYS  row, owed, suspect, destination, line, flight
  ARGV  row id; turn; now, epoch ms; end of the lease, epoch ms; the latest instant to wait for, epoch ms
        tokens that it takes; burst, tokens; refill, ms a token or 0 for any rate; most attempts at a time, or 0 for a
          destination that takes everything; rank; owed since, epoch ms
        digest of what is told; how many must wait for a digest or 0 for none; how much longer the lease of one is, ms;
          integration; key prefix of rows; the destination's name; digest of who reads it there

  Returns { 'lost' } where the claim does not hold any more;
          { 'wait', until, for what: budget | asked | breaker | flight, how many stand before it, or 0 where until then is its
            last chance, then who takes its place in the air, as `listWake` has it } where it has to wait, and is given back;
          { 'late', for what } where it would have to wait for longer than it may: the claim holds;
          { 'go', attempt, then for each row that is to be told along: row id, its turn }
]]
--- with line
local row, owed, suspect, destination, line, flight = unpack(KEYS)
local id, turn, now, lease, latest = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local cost, burst, refill, most, rank, owedAt = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]),
  tonumber(ARGV[10]), tonumber(ARGV[11])
local content, digestAbove, digestLease, integration = ARGV[12], tonumber(ARGV[13]), lease + tonumber(ARGV[14]), ARGV[15]
local rowPrefix, name, audience = ARGV[16], ARGV[17], ARGV[18]
local LOST = 10000 -- ms: so long after its time one in the line does not come any more
local MOST_DIGESTED = 1000
local SUMMED = 50 -- beyond so many in line each counts as one token

local state, held = unpack(redis.call('HMGET', row, 'state', 'turn'))
if state ~= 'claimed' or held ~= turn then return { 'lost' } end

local tokensText, atText, askedText, openText, streakText =
  unpack(redis.call('HMGET', destination, 'tokens', 'at', 'asked', 'open', 'streak'))
-- graver news may have come since the group was read, or was read before the row knew
rank = math.min(rank, tonumber(redis.call('HGET', row, 'rank')))
redis.call('HSET', row, 'rank', rank)
local place = placeOf(rank, owedAt)

-- tokens of those that stand before it and are still there; one that does not come any more, or waits elsewhere by now, holds up
-- nobody
local function ahead()
  if redis.call('ZCARD', line) == 0 then return 0 end
  redis.call('ZADD', line, place, id)
  local tokens = 0
  for i, other in ipairs(redis.call('ZRANGE', line, 0, SUMMED)) do
    if other == id then return tokens end
    if i > SUMMED then break end
    local there = redis.call('HGET', rowPrefix .. other, 'destination')
    if tonumber(redis.call('ZSCORE', owed, other) or 0) < now - LOST or (there and there ~= name) then
      redis.call('ZREM', line, other)
    else
      tokens = tokens + tonumber(redis.call('HGET', rowPrefix .. other, 'cost') or 1)
    end
  end
  return math.max(tokens, redis.call('ZRANK', line, id))
end

local function go()
  redis.call('HSET', row, 'state', 'sending', 'content', content)
  redis.call('ZADD', owed, lease, id)
  return { 'go', redis.call('HINCRBY', row, 'attempt', 1) }
end

local function wait(untilAt, what)
  local hadPlace = redis.call('ZREM', flight, id) == 1
  if now >= latest then
    redis.call('ZREM', line, id)
    return { 'late', what }
  end
  local at = math.floor(math.max(now + 1, math.min(untilAt, latest)))
  stand(row, owed, line, id, place, at, what, cost, name, audience)
  redis.call('HINCRBY', row, 'starts', -1) -- this turn has ended
  if redis.call('GET', suspect) == id then redis.call('DEL', suspect) end
  local reply = { 'wait', at, what, at < latest and redis.call('ZRANK', line, id) or 0 }
  local first = redis.call('ZRANGE', line, 0, 0)[1]
  -- who stands for a place in the air has nobody else to wake it
  if hadPlace and first ~= id and redis.call('HGET', rowPrefix .. first, 'waitsFor') == 'flight' then
    hasten(reply, rowPrefix, owed, first, 'flight', now)
  end
  return reply
end

if most == 0 then return go() end
local asked = tonumber(askedText or 0)
if asked > now then return wait(asked, 'asked') end

local open = tonumber(openText or 0)
if open > now then return wait(open, 'breaker') end
if open > 0 then most = 1 end -- half open: one goes and sees

-- who stands before it matters to its tokens, or where room is kept for it
local before = (refill > 0 or keptFor(line, rank, place, now) > 0) and ahead() or 0
local free = whenFree(flight, line, id, now, most, tonumber(streakText or 0), rank, place)
if free then return wait(free, open > 0 and 'breaker' or 'flight') end

if refill > 0 then
  local since = math.max(0, now - tonumber(atText or now)) -- Redis' time may have gone back
  local tokens = math.min(burst, tonumber(tokensText or burst) + since / refill)
  local needed = math.min(cost, burst) + before -- more than a bucket holds goes when it is full, and leaves a debt
  if tokens < needed then return wait(now + math.ceil((needed - tokens) * refill), 'budget') end
  redis.call('HSET', destination, 'tokens', string.format('%.6f', tokens - cost), 'at', now, 'burst', burst, 'refill', refill)
  redis.call('PEXPIRE', destination, KEPT)
end

redis.call('ZREM', line, id)
redis.call('ZADD', flight, lease, id)
redis.call('PEXPIRE', flight, KEPT)
redis.call('HSET', row, 'destination', name) -- by which `record` gives its place back
local reply = go()
local lower = string.format('%.0f', RANK)
if digestAbove == 0 or rank == 0 or redis.call('ZCOUNT', line, lower, '+inf') < digestAbove then return reply end

for _, other in ipairs(redis.call('ZRANGEBYSCORE', line, lower, '+inf', 'LIMIT', 0, MOST_DIGESTED)) do
  local key = rowPrefix .. other
  local theirs, whose, whom, alone = unpack(redis.call('HMGET', key, 'state', 'integration', 'audience', 'alone'))
  if not theirs then
    redis.call('ZREM', line, other)
  elseif theirs == 'owed' and whose == integration and whom == audience and alone ~= '1' then
    redis.call('HSET', key, 'state', 'sending', 'again', '0', 'content', '')
    redis.call('HINCRBY', key, 'starts', 1)
    redis.call('HDEL', key, 'waitsUntil', 'waitsFor')
    redis.call('HINCRBY', key, 'attempt', 1)
    redis.call('ZADD', owed, digestLease, other)
    redis.call('ZREM', line, other)
    reply[#reply + 1] = other
    reply[#reply + 1] = tostring(redis.call('HINCRBY', key, 'turn', 1))
  end
end
if #reply > 2 then
  redis.call('ZADD', owed, digestLease, id)
  redis.call('ZADD', flight, digestLease, id)
end
return reply
