import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * What takes long begins first: else one process is left with it at the end, and the others wait. The fault matrix is left where
 * it is, near the end: it measures by the clock, and the less runs beside it the better.
 */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = slow.findIndex((path) => moduleId.includes(path))
      return at === -1 ? slow.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}
const slow = ['/test/e2e/', '/test/web/page', '/test/differential/', '/test/pipeline/']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 4, // most of the time is spent waiting: for timers, for other processes
    sequence: { sequencer: SlowFirst },
  },
})
