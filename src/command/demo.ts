export async function demo(_: { url: string; pace: number; stdout: NodeJS.WritableStream }): Promise<number> {
  return 0
}
