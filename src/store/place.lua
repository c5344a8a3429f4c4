-- Puts an alert into a place (a sorted set by end), notes in `indexed` in which it stands, and counts it for its rule.
local function place(set, indexed, sourced, name, fingerprint, ends)
  if redis.call('ZADD', set, ends == 0 and '+inf' or ends, fingerprint) == 1 then
    local names = redis.call('HGET', indexed, fingerprint)
    redis.call('HSET', indexed, fingerprint, names and names .. ' ' .. name or name)
    redis.call('HINCRBY', sourced, string.match(name, '^[^:]+'), 1)
  end
end
