-- Takes resolved alerts out of their group once nothing is owed about them; an empty group is gone.
-- Then what was given up about it is over, too. `resolved` holds 'fingerprint start end word', space separated in turn, the
-- word for what became of it in the ledger; one that changed since stays.
local function release(groupId, group, members, times, references, collectable, due, ledger, nflog, resolved, forgetAt)
  for fingerprint, s, e, word in string.gmatch(resolved, '(%S+) (%S+) (%S+) (%S+)') do
    local time = redis.call('HGET', times, fingerprint)
    if not time or string.sub(time, 1, #s + #e + 2) == s .. ' ' .. e .. ' ' then
      if redis.call('SREM', members, fingerprint) == 1 then
        redis.call('HINCRBY', ledger, 'left:' .. word, 1)
        if redis.call('HINCRBY', references, fingerprint, -1) <= 0 then
          redis.call('HDEL', references, fingerprint)
          redis.call('ZADD', collectable, forgetAt, fingerprint)
        end
      end
    end
  end
  if redis.call('SCARD', members) > 0 then return 0 end
  redis.call('DEL', group, members)
  redis.call('ZREM', due, groupId)
  for _, field in ipairs(redis.call('HKEYS', nflog)) do
    if string.sub(field, 1, 5) == 'dead:' then redis.call('HDEL', nflog, field) end
  end
  return 1
end
