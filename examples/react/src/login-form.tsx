import { type FormEvent, useState } from 'react';
import { Refusal } from './refusal.tsx';
import { rentapi } from './rentapi.ts';

export function LoginForm() {
  const [error, setError] = useState<unknown>();

  async function logIn(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await rentapi.auth.login({ email: String(form.get('email')), password: String(form.get('password')) });
    } catch (error) {
      setError(error);
    }
  }

  return (
    <form onSubmit={logIn}>
      <h1>Log in</h1>
      <label>
        E-mail address <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit">Log in</button>
      <Refusal error={error} />
    </form>
  );
}
