--[[
  Owes others what a row's integration cannot be told at present, once a row; the row itself goes on being tried.

  KEYS[1..4]  row, outbox, owed, ledger
  KEYS[5..]   rows of what is owed in its place
  ARGV  group id; now, epoch ms; then the owings as `takeOwings` has it

  Returns the ids of the rows to wake
]]
--- with owe
local row, outbox, owed, ledger = unpack(KEYS, 1, 4)
local at = 2
local function take()
  at = at + 1
  return ARGV[at]
end
if redis.call('EXISTS', row) == 0 or redis.call('HSETNX', row, 'fellBack', '1') == 0 then return {} end
local woken = {}
for _, owing in ipairs(takeOwings(take, 5)) do
  if owe(ARGV[1], outbox, owed, ledger, ARGV[2], owing) then woken[#woken + 1] = owing.rowId end
end
return woken
