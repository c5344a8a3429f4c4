--[[
  Owes again what a dead letter stands for. The letter goes: what becomes of the new attempt is written down anew.

  KEYS  dead letter, dead, group, outbox, owed, nflog, ledger, row
  ARGV  row id; now, epoch ms; group id; then one owing as `takeOwings` has it

  Returns 'owed'; 'waiting' where it is owed already; 'gone' where nothing of its group is left to tell, and the letter stays;
  or 'none' where there is no such letter, since it was re-sent or overtaken
]]
--- with owe
local letter, dead, group, outbox, owed, nflog, ledger = unpack(KEYS)
local at = 3
local function take()
  at = at + 1
  return ARGV[at]
end
if redis.call('EXISTS', letter) == 0 then return 'none' end
if redis.call('EXISTS', group) == 0 then return 'gone' end
local owing = takeOwings(take, 8)[1]
redis.call('DEL', letter)
redis.call('ZREM', dead, ARGV[1])
redis.call('HDEL', nflog, 'dead:' .. owing.integration)
local isNew = owe(ARGV[3], outbox, owed, ledger, ARGV[2], owing)
if isNew then return 'owed' end
redis.call('HSET', owing.row, 'newsAt', ARGV[2], 'afterDead', '0') -- somebody wants it now: its deadline begins anew
return 'waiting'
