import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes minutes begins first: else one process is left with it at the end, and the others wait. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = slow.findIndex((path) => moduleId.includes(path))
      return at === -1 ? slow.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}
const slow = ['/test/chaos/chaos', '/test/e2e/', '/test/web/page', '/test/differential/', '/test/pipeline/']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 4, // most of the time is spent waiting: for timers, for other processes
    sequence: { sequencer: SlowFirst },
  },
})
