const INDENT = ' '.repeat(200)

/**
 * The text with what continues a quoted text, or brackets, on lines of their own moved to the right, and the
 * lines that were. YAML 1.1 does not care how such a line is indented; later versions, and our parser, do.
 */
export function indentContinued(text: string): { text: string; moved: ReadonlySet<number>; by: number } {
  const moved = new Set<number>()
  const lines = text.split('\n')
  let open = '' // the quote that is open
  let depth = 0 // of brackets
  let block = -1 // the least indentation of a block text that is open, 0 where its first line is awaited
  let header = 0 // the indentation of the line that began the block

  for (const [i, line] of lines.entries()) {
    const indent = line.length - line.trimStart().length
    if (block >= 0) {
      if (line.trim() === '') continue
      if (block === 0 && indent > header) block = indent
      if (block > 0 && indent >= block) continue
      block = -1
    }
    if ((open || depth > 0) && i > 0) moved.add(i + 1)
    let isStart = !open // whether a value may begin at this character
    for (let at = 0; at < line.length; at++) {
      const character = line[at] ?? ''
      if (open) {
        if (open === '"' && character === '\\') at += 1
        else if (open === "'" && line.startsWith("''", at)) at += 1
        else if (character === open) open = ''
        continue
      }
      const spaced = at === 0 || /\s/.test(line[at - 1] ?? '')
      if (character === '#' && spaced) break
      if (isStart && (character === '"' || character === "'")) open = character
      else if ((isStart || depth > 0) && /[[{]/.test(character)) depth += 1
      else if (depth > 0 && /[\]}]/.test(character)) depth -= 1
      if (!open && depth === 0 && isStart && /^[|>][-+\d]*\s*(?:#.*)?$/.test(line.slice(at))) {
        block = 0
        header = indent
        break
      }
      const separates = /[,[{]/.test(character)
        ? depth > 0
        : /[:?-]/.test(character) && /^(?:\s|$)/.test(line.slice(at + 1))
      if (separates) isStart = true
      else if (!/\s/.test(character)) isStart = isStart && /^[!&]/.test(line.slice(at).match(/\S+/)?.[0] ?? '')
      if (isStart && /[!&]/.test(character)) at += (/^\S+/.exec(line.slice(at))?.[0].length ?? 1) - 1
    }
  }
  const whole = lines.map((line, i) => (moved.has(i + 1) ? INDENT + line : line))
  return { text: whole.join('\n'), moved, by: INDENT.length }
}
