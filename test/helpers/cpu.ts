/** The seconds that this process has worked since `process.cpuUsage()`, whatever others did meanwhile. */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
