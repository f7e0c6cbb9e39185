import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const target = process.env['RENTAPI_URL'] ?? 'http://localhost:8000';

/** The page and the API have one origin, as behind a reverse proxy: no CORS, and `baseUrl` is the page's own. */
const proxy = { '/api': { target }, '/trpc': { target, ws: true } };

export default defineConfig({
  plugins: [react()],
  // The SDK is a link into this repository, where tRPC has another version; a page must have one copy.
  resolve: { dedupe: ['@trpc/client', '@trpc/server'] },
  server: { host: 'localhost', proxy },
  preview: { host: 'localhost', proxy },
});
