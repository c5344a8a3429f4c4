--[[
  Adds counts to a bucket of time. Of names of a family only so many are told apart, in all replicas together; the rest count
  as `other`.

  KEYS  bucket
  ARGV  how long it is kept from now, ms; how many names of a family are told apart
        for each count: family or '' for none, name, count

  Returns how many there were.
]]
local most = tonumber(ARGV[2])
for i = 3, #ARGV, 3 do
  local family, field = ARGV[i], ARGV[i + 1]
  if family ~= '' then
    field = family .. ':' .. ARGV[i + 1]
    if redis.call('HEXISTS', KEYS[1], field) == 0 then
      if tonumber(redis.call('HGET', KEYS[1], '#' .. family) or 0) >= most then
        field = family .. ':other'
      else
        redis.call('HINCRBY', KEYS[1], '#' .. family, 1)
      end
    end
  end
  redis.call('HINCRBY', KEYS[1], field, ARGV[i + 2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return (#ARGV - 2) / 3
