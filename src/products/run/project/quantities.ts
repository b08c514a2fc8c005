const bytesOf: Readonly<Record<string, number>> = {
  Gi: 2 ** 30,
  Mi: 2 ** 20,
  Ki: 2 ** 10,
  G: 1e9,
  M: 1e6,
  k: 1e3,
  '': 1,
}

/**
 * Reads an amount of memory as Kubernetes writes it: `512Mi`, `1Gi`, `1.5G`.
 * @returns whole bytes, or undefined when it is no such amount or outside Cloud Run's 128Mi to 32Gi
 */
export function readMemory(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)(k|M|G|Ki|Mi|Gi)?$/.exec(text) ?? []
  const bytes = Math.round(Number(number) * (bytesOf[unit] ?? Number.NaN))
  return bytes >= 128 * 2 ** 20 && bytes <= 32 * 2 ** 30 ? bytes : undefined
}

/**
 * Reads an amount of CPU: `1`, `0.5`, `1000m`.
 * @returns CPUs, or undefined when it is no such amount or outside Cloud Run's 0.08 to 8
 */
export function readCpu(value: string | number): number | undefined {
  const [, number, milli] = /^(\d{1,5}(?:\.\d{1,3})?)(m)?$/.exec(String(value)) ?? []
  const cpus = Number(number) / (milli === undefined ? 1 : 1000)
  return cpus >= 0.08 && cpus <= 8 ? cpus : undefined
}

/** The shortest writing that `readMemory` reads back as the same bytes: `512Mi`, `1Gi`. */
export function memoryText(bytes: number): string {
  const writings = Object.entries(bytesOf).flatMap(([unit, size]) => (bytes % size === 0 ? [`${bytes / size}${unit}`] : []))
  return writings.toSorted((a, b) => a.length - b.length)[0] ?? `${bytes}`
}
