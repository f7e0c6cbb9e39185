/* global Redoc */
const systemFont = 'system-ui, sans-serif';
Redoc.init(
  '/openapi.json',
  {
    hideDownloadButton: false,
    // Redoc's own greens, reds and greys are too light to read.
    theme: {
      colors: {
        success: { main: '#116b2c' },
        warning: { main: '#7a4b00' },
        error: { main: '#a31515' },
        responses: { error: { tabTextColor: '#ff9d9d' } },
        text: { primary: '#1f2330', secondary: '#555b6e' },
      },
      schema: { typeNameColor: '#555b6e', typeTitleColor: '#555b6e', requireLabelColor: '#a31515' },
      typography: {
        fontFamily: systemFont,
        headings: { fontFamily: systemFont },
        code: { color: '#a31515' },
      },
    },
  },
  document.getElementById('reference'),
);
