import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** Debian's. Playwright's own download of a browser is not used. */
const EXECUTABLE = '/usr/bin/chromium';

/** A busy machine draws a reference of all operations in more than Playwright's 30 s. */
const WAIT_MS = 200_000;

/** No sandbox, which root cannot have, and no connections of the browser's own. */
const OPTIONS = {
  executablePath: EXECUTABLE,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** A browser whose pages are waited for as long as a test lasts. */
export async function openChromium(): Promise<Browser> {
  const browser = await chromium.launch(OPTIONS);
  browser.on('context', (context) => context.setDefaultTimeout(WAIT_MS));
  return browser;
}

/** For `describe.skipIf`: whether there is no Chromium here. With CI_REQUIRE_CHROMIUM=1 that is an error instead. */
export function chromiumIsMissing(): boolean {
  try {
    execFileSync(EXECUTABLE, ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    if (process.env['CI_REQUIRE_CHROMIUM'] === '1') {
      throw new Error('CI_REQUIRE_CHROMIUM is set and there is no Chromium: apt-get install chromium');
    }
    process.stderr.write('Skipped: there is no Chromium (apt-get install chromium).\n');
    return true;
  }
}
