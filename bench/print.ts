import { cpus } from 'node:os'

export const print = (line: string) => process.stdout.write(`${line}\n`)

/** The machine, as each benchmark says first. */
export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.version}`
}

/** Processor seconds that something took, of all threads: what else runs on the machine does not count. */
export function processorSeconds(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}

/** `minimum / median / maximum`. */
export function spread(values: readonly number[], digits = 0): string {
  const sorted = [...values].sort((a, b) => a - b)
  const [low = 0, middle = 0, high = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return [low, middle, high].map((value) => grouped(value.toFixed(digits))).join(' / ')
}

/** 1234567.8 as `1,234,567.8`. */
function grouped(digits: string): string {
  return digits.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',')
}
