/* global Redoc */
const systemFont = 'system-ui, sans-serif';
Redoc.init(
  '/openapi.json',
  {
    hideDownloadButton: false,
    theme: { typography: { fontFamily: systemFont, headings: { fontFamily: systemFont } } },
  },
  document.getElementById('reference'),
);
