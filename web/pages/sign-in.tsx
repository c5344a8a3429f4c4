import { type FormEvent, useState } from 'react'
import { ApiError, OURS, send } from '../data/api.ts'

/** Asks who reads the page, where the web config wants to know. */
export function SignIn({ onDone }: { onDone: () => void }) {
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState('')
  const [isAsking, setIsAsking] = useState(false)
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setIsAsking(true)
    try {
      await send('POST', `${OURS}/session`, { user, password })
      onDone()
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught
      setError(caught.message)
    } finally {
      setIsAsking(false)
    }
  }
  return (
    <main className="sign-in">
      <form className="card" onSubmit={(event) => void submit(event)}>
        <h1>Tocsin</h1>
        <label className="field">
          <span>User</span>
          <input
            type="text"
            autoComplete="username"
            required
            autoFocus
            value={user}
            onChange={(event) => setUser(event.target.value)}
          />
        </label>
        <label className="field">
          <span>Password</span>
          <input
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        {error && (
          <p className="field-error" role="alert">
            {error}
          </p>
        )}
        <button type="submit" className="main" disabled={isAsking}>
          Sign in
        </button>
      </form>
    </main>
  )
}
