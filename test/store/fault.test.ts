import { expect, test } from 'vitest'
import { faultOf } from '../../src/store/fault.ts'

test.each([
  ['LOADING Redis is loading the dataset in memory', 'loading'],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', 'busy'],
  ["READONLY You can't write against a read only replica.", 'read-only'],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'read-only'],
  ["OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user_script:1.", 'full'],
  ['MISCONF Errors writing to the AOF file: No space left on device', 'disk'],
  ['NOAUTH Authentication required.', 'password'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'password'],
  ["NOPERM this user has no permissions to run the 'evalsha' command", 'password'],
  ['NOREPLICAS Not enough good replicas to write.', 'too few replicas'],
  ['TOOFEWREPLICAS 0 of 1 replicas had it within 300 ms', 'too few replicas'],
  ['Command timed out', 'frozen'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'unreachable'],
  ['Connection is closed.', 'unreachable'],
  ['connect ECONNREFUSED 127.0.0.1:6379', 'unreachable'],
  ['connect ENOENT /run/redis.sock', 'unreachable'],
  ['getaddrinfo ENOTFOUND redis', 'unreachable'],
  ['self-signed certificate', 'unreachable'],
  ['ERR something new', 'store'],
])('%s', (message, reason) => {
  expect(faultOf(new Error(message)).reason).toBe(reason)
  expect(faultOf(new Error('a request failed', { cause: new Error(message) })).reason).toBe(reason)
})
