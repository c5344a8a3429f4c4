--[[
  Owes others what an integration cannot be told at present, or was told and did not get: once a row, or a text message.

  KEYS[1..4]  row or what is known of the text message, outbox, owed, ledger
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
