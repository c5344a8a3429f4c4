--[[
  Looks after the heartbeats that a file awaits: from when each counts, and who looks now. Time in which nobody looked does
  not count, since nobody could hear them.

  KEYS  self, heartbeats, seen, raised
  ARGV  now, epoch ms; how often they are looked at, ms; after how long without a look each gets its full time anew, ms;
        their names
  Returns { 1 where it is the caller's turn, else 0; name, counted from, last seen or ''…; what is raised: name, JSON… }
]]
local now, every, absence = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local last = tonumber(redis.call('HGET', KEYS[1], 'watched'))
local gap = last and math.abs(now - last) or math.huge
local turn = gap >= every

local known, awaited, states = {}, {}, {}
local flat = redis.call('HGETALL', KEYS[2])
for i = 1, #flat, 2 do known[flat[i]] = tonumber(flat[i + 1]) end

for i = 4, #ARGV do
  local name, from = ARGV[i], known[ARGV[i]]
  awaited[name] = true
  if turn then
    local before = from
    local missing = redis.call('HEXISTS', KEYS[4], name) == 1 -- only being seen ends that
    if not from or (gap > absence and not missing) then from = now
    elseif gap > 3 * every and not missing then from = math.min(now, from + gap) end
    if from ~= before then redis.call('HSET', KEYS[2], name, string.format('%d', from)) end
  end
  states[#states + 1] = name
  states[#states + 1] = string.format('%d', from or now)
  states[#states + 1] = redis.call('HGET', KEYS[3], name) or ''
end

if turn then
  redis.call('HSET', KEYS[1], 'watched', ARGV[1])
  for name in pairs(known) do
    if not awaited[name] then
      redis.call('HDEL', KEYS[2], name)
      redis.call('HDEL', KEYS[3], name)
    end
  end
end
return { turn and 1 or 0, states, redis.call('HGETALL', KEYS[4]) }
