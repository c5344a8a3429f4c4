--[[
  Reads a group.

  KEYS  group, members, alerts, times, nflog, outbox
  Returns what `readGroup` does
]]
--- with group
return readGroup(unpack(KEYS))
