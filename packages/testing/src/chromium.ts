import { execFileSync } from 'node:child_process';

/** Debian's. Playwright's own download of a browser is not used. */
const EXECUTABLE = '/usr/bin/chromium';

/** For Playwright's `launch`: no sandbox, which root cannot have, and no connections of the browser's own. */
export const CHROMIUM = {
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
