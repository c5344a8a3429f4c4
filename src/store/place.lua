-- Puts an alert into places (sorted sets by end). New ones are noted in `indexed`, counted for their rules in
-- `sourced`, and kept in the rule's set of places that are occupied.
local function place(placePrefix, occupiedPrefix, indexed, sourced, places, fingerprint, ends)
  local fresh = {}
  for _, name in ipairs(places) do
    if redis.call('ZADD', placePrefix .. name, ends == 0 and '+inf' or ends, fingerprint) == 1 then
      local rule = string.match(name, '^[^:]+')
      fresh[#fresh + 1] = name
      redis.call('HINCRBY', sourced, rule, 1)
      redis.call('SADD', occupiedPrefix .. rule, name)
    end
  end
  if #fresh > 0 then
    local known = redis.call('HGET', indexed, fingerprint)
    redis.call('HSET', indexed, fingerprint, (known and known .. ' ' or '') .. table.concat(fresh, ' '))
  end
end
