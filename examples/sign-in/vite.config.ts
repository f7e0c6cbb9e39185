import { defineConfig } from 'vite';

/** Another origin than the API's, of the same site: the server is started with this one in CORS_ORIGINS. */
const port = Number(process.env['PAGE_PORT'] ?? 5173);
const apiUrl = process.env['RENTAPI_URL'] ?? 'http://localhost:8000';

export default defineConfig({
  define: { __RENTAPI_URL__: JSON.stringify(apiUrl) },
  server: { host: 'localhost', port, strictPort: true },
  preview: { host: 'localhost', port, strictPort: true },
});
