import { Summary } from 'prom-client'

/**
 * A summary without quantiles. prom-client's own keeps a digest of all values for them, which costs more than what is measured
 * here.
 */
export class SumAndCount extends Summary {
  readonly #of: { name: string; help: string }
  #sum = 0
  #count = 0

  constructor({ name, help }: { name: string; help: string }) {
    super({ name, help, percentiles: [], registers: [] })
    this.#of = { name, help }
  }

  /** Returns how to end what is timed. */
  begin(): () => void {
    const startedAt = performance.now()
    return () => {
      this.#sum += (performance.now() - startedAt) / 1000
      this.#count += 1
    }
  }

  override async get(): ReturnType<Summary['get']> {
    const { name, help } = this.#of
    const [labels, aggregator] = [{}, 'sum' as const]
    const values = [
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: this.#count },
    ]
    return { ...(await super.get()), name, help, values, aggregator }
  }
}
