import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';

/** Why the tests with a browser are skipped; undefined if there is one. */
export const NO_CHROMIUM = existsSync(EXECUTABLE)
  ? undefined
  : `no ${EXECUTABLE}: install the package chromium; REQUIRE_CHROMIUM=1 makes this a failure`;

/** @throws Error if Chromium is not installed */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE });
}

/** Signs in and presses the button of the consent page. */
export async function signInAndConsent(page: Page, answer: 'allow' | 'deny'): Promise<void> {
  await page.fill('input[name=password]', 'any');
  await page.click('#sign-in');
  await page.click(`#${answer}`);
}
