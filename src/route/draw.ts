import { formatMatchers, matchesAll } from '../match/matcher.ts'
import type { Labels } from '../model/labels.ts'
import type { Route } from './route.ts'

interface Branch {
  text: string
  branches: readonly Branch[]
}

/** The whole tree as `amtool config routes show` draws it. */
export function drawTree(root: Route): string {
  const branch = (route: Route): Branch => ({
    text: `${nameOf(route)}${route.continue ? '  continue: true' : ''}  receiver: ${route.receiver}`,
    branches: route.routes.map(branch),
  })
  return draw(branch(root))
}

/** The part of the tree that takes some labels, as `amtool config routes test --tree` draws it. */
export function drawMatching(root: Route, labels: Labels): string {
  /** Undefined where the route does not match. */
  const branch = (route: Route): Branch | undefined => {
    if (!matchesAll(route.matchers, labels)) return undefined
    const branches: Branch[] = []
    for (const child of route.routes) {
      const taken = branch(child)
      if (taken) branches.push(taken)
      if (taken && !child.continue) break
    }
    return { text: nameOf(route) + (branches.length === 0 ? `  receiver: ${route.receiver}` : ''), branches }
  }
  const whole = branch(root)
  return draw(whole ?? { text: nameOf(root), branches: [] })
}

function nameOf({ matchers }: Route): string {
  return matchers.length === 0 ? 'default-route' : formatMatchers(matchers)
}

function draw(root: Branch): string {
  const lines = ['.']
  const add = (branches: readonly Branch[], indent: string) => {
    for (const [i, { text, branches: inner }] of branches.entries()) {
      const isLast = i === branches.length - 1
      lines.push(`${indent}${isLast ? '└──' : '├──'} ${text}`)
      add(inner, indent + (isLast ? '    ' : '│   '))
    }
  }
  add([root], '')
  return `${lines.join('\n')}\n`
}
