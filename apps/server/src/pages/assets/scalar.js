/* global Scalar */
// Everything that would contact another host is off; the Content-Security-Policy forbids it as well.
Scalar.createApiReference('#reference', {
  url: '/openapi.json',
  favicon: document.querySelector('link[rel=icon]').href,
  agent: { disabled: true },
  mcp: { disabled: true },
  telemetry: false,
  withDefaultFonts: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  persistAuth: false,
});
