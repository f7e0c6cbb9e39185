/* global Redoc */
const systemFont = 'system-ui, sans-serif';
const dark = matchMedia('(prefers-color-scheme: dark)');

// The colours of site.css. Redoc computes with them, so they cannot be variables.
const light = {
  ink: '#171923',
  quiet: '#555b6e',
  ground: '#fbfbfd',
  sunken: '#f1f2f7',
  line: '#e2e4ec',
  accent: '#4f46e5',
  good: '#116b2c',
  bad: '#a31515',
  warn: '#7a4b00',
};
const colors = dark.matches
  ? {
      ink: '#eceef5',
      quiet: '#9aa1b5',
      ground: '#0e1016',
      sunken: '#12141c',
      line: '#2a2e3b',
      accent: '#8f8bff',
      good: '#6ee7a4',
      bad: '#ff9d9d',
      warn: '#ffc878',
    }
  : light;
const { ink, quiet, ground, sunken, line, accent, good, bad, warn } = colors;
const panel = '#171a23';

Redoc.init(
  '/openapi.json',
  {
    hideDownloadButton: false,
    theme: {
      colors: {
        primary: { main: accent },
        success: { main: good },
        warning: { main: warn },
        error: { main: bad },
        gray: { 50: sunken, 100: line },
        border: { light: line, dark: line },
        text: { primary: ink, secondary: quiet },
        responses: {
          success: { color: good, tabTextColor: '#6ee7a4' },
          error: { color: bad, tabTextColor: '#ff9d9d' },
          redirect: { color: warn, tabTextColor: '#ffc878' },
          info: { color: accent, tabTextColor: '#8f8bff' },
        },
      },
      schema: {
        linesColor: quiet,
        nestedBackground: sunken,
        typeNameColor: quiet,
        typeTitleColor: quiet,
        requireLabelColor: bad,
        arrow: { color: quiet },
      },
      sidebar: { backgroundColor: sunken, textColor: ink, activeTextColor: accent, arrow: { color: quiet } },
      rightPanel: {
        backgroundColor: panel,
        textColor: '#eceef5',
        servers: { overlay: { backgroundColor: ground, textColor: ink }, url: { backgroundColor: sunken } },
      },
      codeBlock: { backgroundColor: '#0e1016' },
      fab: { backgroundColor: sunken, color: accent },
      typography: {
        fontFamily: systemFont,
        headings: { fontFamily: systemFont },
        code: { color: bad, backgroundColor: sunken },
        links: { color: accent, visited: accent, hover: ink },
      },
    },
  },
  document.getElementById('reference'),
);

// Redoc is drawn in the colours of its start.
dark.addEventListener('change', () => location.reload());
