// One file, so that the short tier can wait for several rows at a time.
import { crashes } from './rows/crash.ts'
import { exactPoints } from './rows/points.ts'
import { processFaults } from './rows/process.ts'
import { redisFaults } from './rows/redis.ts'
import { channelFaults } from './rows/channels.ts'
import { senderFaults } from './rows/senders.ts'
import { reloads } from './rows/reload.ts'
import { deadDestinations } from './rows/destinations.ts'
import { brokenEngines } from './rows/broken.ts'

crashes()
exactPoints()
processFaults()
redisFaults()
channelFaults()
senderFaults()
reloads()
deadDestinations()
brokenEngines()
