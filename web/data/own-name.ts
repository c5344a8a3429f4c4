const NAME = 'tocsin-name'

/** What somebody calls themselves where nobody has to sign in; remembered on this machine. */
export function ownName(): string {
  return localStorage.getItem(NAME) ?? ''
}

export function rememberName(name: string): void {
  localStorage.setItem(NAME, name)
}
