-- Puts an alert into a place (a sorted set by end), and notes in `indexed` in which it stands.
local function place(set, indexed, name, fingerprint, ends)
  if redis.call('ZADD', set, ends == 0 and '+inf' or ends, fingerprint) == 1 then
    local names = redis.call('HGET', indexed, fingerprint)
    redis.call('HSET', indexed, fingerprint, names and names .. ' ' .. name or name)
  end
end
