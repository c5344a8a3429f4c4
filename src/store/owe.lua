-- Owes an integration something about a group: by a new row, or once more by the row that there is, which may have read the
-- group already. What makes it graver has its own deadline, and does not wait behind what is less grave. `owing` holds row (key),
-- rowId, integration, channel, reason, notification, rank. Returns whether the row is to be woken, and whether it is a new one.
local function owe(groupId, outbox, owed, ledger, now, owing)
  if redis.call('EXISTS', owing.row) == 1 then
    redis.call('HSET', owing.row, 'again', '1', 'reason', owing.reason)
    local rank, state = unpack(redis.call('HMGET', owing.row, 'rank', 'state'))
    if tonumber(owing.rank) >= tonumber(rank) then return false end
    redis.call('HSET', owing.row, 'rank', owing.rank, 'newsAt', now)
    if state ~= 'owed' then return false end
    redis.call('ZADD', owed, now, owing.rowId)
    return true
  end
  redis.call('HSET', owing.row, 'group', groupId, 'integration', owing.integration, 'channel', owing.channel,
    'reason', owing.reason, 'notification', owing.notification, 'rank', owing.rank, 'owedAt', now,
    'newsAt', now, 'state', 'owed', 'attempt', 0, 'starts', 0,
    'turn', now) -- never a number that a row of this id had before: an engine may still hold that
  redis.call('ZADD', owed, now, owing.rowId)
  redis.call('SADD', outbox, owing.integration)
  redis.call('HINCRBY', ledger, 'owed', 1)
  return true, true
end

-- Reads so many owings off the arguments by `take`; their rows are the keys from `first` on.
local function takeOwings(take, first)
  local owings = {}
  for i = 1, tonumber(take()) do
    owings[i] = {
      row = KEYS[first + i - 1], integration = take(), channel = take(), rowId = take(), reason = take(),
      notification = take(), rank = take(),
    }
  end
  return owings
end
