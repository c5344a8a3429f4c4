-- What both ways of taking an alert again begin and end with: the version of the inhibitions, and times that only moved, as
-- fingerprint, entry in turn.
local function versionOf(versions)
  return (redis.call('HGET', versions, 'epoch') or '') .. ' ' .. (redis.call('HGET', versions, 'rules') or '0')
end

local function move(times, changes, moved, written)
  if #moved == 0 then return end
  redis.call('HSET', times, unpack(written))
  redis.call('XADD', changes, 'MAXLEN', '~', 1000, '*', 'moved', table.concat(moved, ' '), 'changed', '', 'gone', '')
end
